package integration

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
	"ingest/shared/token"
)

// TestAPITokens: roles in a running process, whose tokens file changes under it.
func TestAPITokens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	viewer, viewerLine := token.New("eva", token.Viewer, time.Time{})
	operator, operatorLine := token.New("ops", token.Operator, time.Time{})
	expired, expiredLine := token.New("old", token.Admin, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	write(viewerLine, operatorLine, expiredLine)
	// With tokens the API may listen elsewhere; here it must not, so that the test stays on this machine.
	s := serve(t, "INGEST_TOKENS_FILE="+path)
	eva, ops := s.api.As(viewer), s.api.As(operator)

	begun := ops.Do("POST", rig.Base+"/upload/users", halfBad, "Content-Type", "text/csv").Must(t, http.StatusAccepted)
	if _, values := resource(t, begun.Body); string(values["user_id"]) != `"ops"` {
		t.Errorf("the run is %s's", values["user_id"])
	}
	rig.Until(t, patience, "the run ending", func() bool { return eva.Get(at(1, "")).Must(t, http.StatusOK).Run(t).Terminal() })
	refused(t, eva.Post(at(1, "/cancel"), ""), http.StatusForbidden, "The role viewer is too low: this needs operator.")
	refused(t, eva.Post(at(1, "/retry"), ""), http.StatusForbidden, "The role viewer is too low: this needs operator.")
	refused(t, eva.Do("POST", rig.Base+"/upload/users", oneUser, "Content-Type", "text/csv"), http.StatusForbidden, "The role viewer")
	refused(t, ops.Post(at(1, "/cancel"), ""), http.StatusConflict, "Ingest run #1 has already finished.")
	for name, api := range map[string]*rig.API{"none": s.api, "expired": s.api.As(expired), "unknown": s.api.As("ingest_x")} {
		answer := api.Get(rig.Base)
		refused(t, answer, http.StatusUnauthorized, "")
		if got := answer.Header.Get("WWW-Authenticate"); got != `Bearer realm="ingest"` {
			t.Errorf("%s: WWW-Authenticate is %q", name, got)
		}
		refused(t, api.Get(at(999, "")), http.StatusUnauthorized, "") // and never whether the run exists
	}
	refused(t, s.api.Get(rig.Base+"?token="+operator), http.StatusUnauthorized, "A token is needed")
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/docs"} {
		s.api.Get(path).Must(t, http.StatusOK)
	}

	// A token that is taken out stops to work, a new one works, without a restart; a broken file lets nobody in.
	second, secondLine := token.New("ops", token.Operator, time.Time{})
	write(viewerLine, operatorLine, secondLine)
	s.api.As(second).Get(rig.Base).Must(t, http.StatusOK)
	ops.Get(rig.Base).Must(t, http.StatusOK)
	write(viewerLine, secondLine)
	refused(t, ops.Get(rig.Base), http.StatusUnauthorized, "The token is unknown or has expired.")
	write("- {name: eva, role: king, sha256: 12}")
	refused(t, eva.Get(rig.Base), http.StatusServiceUnavailable, "The tokens file cannot be used")
	write(viewerLine)
	eva.Get(rig.Base).Must(t, http.StatusOK)

	// A stream that is open does not outlive its token.
	events := follow(t, eva, rig.Base+"/events", "")
	write(secondLine)
	events.awaitEnd(t)

	for _, secret := range []string{viewer, operator, second, expired} {
		if strings.Contains(s.process.Output(), secret) {
			t.Error("a token is in the log")
		}
	}
}

// TestAPIListensOnlyAsItMay: without tokens on this machine alone, and what is wrong with them is said at the start.
func TestAPIListensOnlyAsItMay(t *testing.T) {
	t.Parallel()
	sys := rig.NewSystem(t, rig.SystemOptions{Importers: map[string]string{"users.yaml": users}})
	ends := func(code int, text string, env ...string) {
		t.Helper()
		p := sys.StartWith(env, "up")
		// It says so once, and has not begun to work.
		if got := p.Wait(patience); got != code || strings.Count(p.Output(), text) != 1 || strings.Contains(p.Output(), "started") {
			t.Errorf("%v: exit code %d, want %d and %q in\n%s", env, got, code, text, p.Output())
		}
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.168.0.1:8080", "example.org:80"} {
		ends(2, "Without tokens_file the API listens on this machine alone (127.0.0.1), not on "+address, "INGEST_LISTEN="+address)
	}
	ends(1, "nobody.yaml", "INGEST_TOKENS_FILE="+filepath.Join(sys.Dir, "nobody.yaml"))
	ends(1, "sha256 must be 64 hexadecimal digits", "INGEST_TOKENS_FILE="+sys.Write("bad.yaml", "- {name: x, role: admin, sha256: 1}\n"))
	first := sys.Start("up")
	address := first.API().Address
	ends(1, "the API cannot use "+address+" (bind: address already in use): end what uses it, or name another address with --listen or INGEST_LISTEN",
		"INGEST_LISTEN="+address)
	// Nobody has to listen.
	quiet := sys.StartWith([]string{"INGEST_LISTEN="}, "up")
	quiet.AwaitOutput("started", patience)
	if strings.Contains(quiet.Output(), "the API listens") {
		t.Error("an empty address listens")
	}
}

// TestAPIForeignPages: without tokens no web page of somebody else may even read.
func TestAPIForeignPages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{rig.Base, at(1, ""), "/healthz", "/openapi.json"} {
		refused(t, s.api.Get(path, "Origin", "https://evil.example"), http.StatusForbidden, "Without tokens the API does not answer to web pages of another origin.")
		refused(t, s.api.Get(path, "Host", "evil.example"), http.StatusForbidden, "Without tokens the API answers to 127.0.0.1 and localhost only.")
	}
	refused(t, s.api.Do("POST", rig.Base+"/upload/users", oneUser, "Content-Type", "text/csv", "Origin", "https://evil.example"), http.StatusForbidden, "")
	refused(t, s.api.Post(rig.Base+"/trigger/stored", "", "Origin", "null"), http.StatusForbidden, "")
	if got := s.runs(t); got != 0 {
		t.Errorf("a web page made %d runs", got)
	}
	s.api.Get(rig.Base, "Origin", "http://"+s.api.Address).Must(t, http.StatusOK)
	if !strings.Contains(s.process.Output(), "there are no tokens") {
		t.Error("nobody is told that everybody is an admin")
	}
}
