package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	numbers "math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ingest/integration/rig"
)

// authority signs certificates.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	// text is its own certificate as a file.
	text string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t}
	a.certificate = &x509.Certificate{
		SerialNumber: numbers.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.text, a.key = a.issue(a.certificate, nil)
	return a
}

// issue returns a certificate as a file, signed by the authority, or by itself when it is that of the authority.
func (a authority) issue(c *x509.Certificate, by *ecdsa.PrivateKey) (string, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.certificate, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), key
}

// server returns a certificate for 127.0.0.1 and its key, as files.
func (a authority) server(until time.Time) (certificate, key string) {
	a.t.Helper()
	certificate, private := a.issue(&x509.Certificate{
		SerialNumber: numbers.NewInt(2), Subject: pkix.Name{CommonName: "database"}, NotBefore: time.Now().Add(-24 * time.Hour),
		NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.key)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// secure makes the server speak TLS, by its own hands: it may run in a container.
func secure(server *rig.Postgres, certificate, key string) {
	for name, text := range map[string]string{"server.crt": certificate, "server.key": key} {
		server.SQL("postgres", "COPY (SELECT unnest(string_to_array('"+strings.TrimSpace(text)+"', E'\\n'))) TO PROGRAM 'umask 077; cat > "+name+"'")
	}
	server.SQL("postgres", "ALTER SYSTEM SET ssl = on")
	server.SQL("postgres", "SELECT pg_reload_conf()")
}

// TestConnectionsOverTLS: by the authority that the URL names and only by it, for the host that the URL names; what is wrong
// is said without address, path or password.
func TestConnectionsOverTLS(t *testing.T) {
	t.Parallel()
	ours, stranger := newAuthority(t), newAuthority(t)
	redis := rig.StartRedis(t, rig.RedisOptions{}).URL()
	server, stale, plain := rig.StartPostgres(t), rig.StartPostgres(t), rig.StartPostgres(t)
	certificate, key := ours.server(time.Now().Add(time.Hour))
	secure(server, certificate, key)
	certificate, key = ours.server(time.Now().Add(-time.Hour))
	secure(stale, certificate, key)
	// over is an installation whose database is reached with these options.
	over := func(server *rig.Postgres, host, options string) *rig.System {
		server.SQL("postgres", "DROP DATABASE IF EXISTS app")
		server.Database("app")
		if len(server.SQL("app", "SELECT 1 FROM pg_roles WHERE rolname = 'guarded'")) == 0 {
			server.SQL("app", "CREATE ROLE guarded LOGIN PASSWORD 'topsecret'")
		}
		server.SQL("app", "GRANT ALL ON SCHEMA public TO guarded")
		at, err := url.Parse(server.URL("app"))
		if err != nil {
			t.Fatal(err)
		}
		s := rig.NewSystem(t, rig.SystemOptions{
			RedisURL: redis, Importers: map[string]string{"rows.yaml": fmt.Sprintf(countedImporter, "rows", "")},
			Database: "postgres://guarded:topsecret@" + net.JoinHostPort(host, at.Port()) + "/app?" + options,
		})
		s.Write("rows.csv", counted(0, 100))
		return s
	}
	authorities := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(authorities, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	right, wrong := write("right.pem", ours.text), write("wrong.pem", stranger.text)

	for _, test := range []struct {
		server             *rig.Postgres
		host, options, why string
	}{
		{server, "127.0.0.1", "sslmode=verify-full&sslrootcert=" + wrong, "The certificate of the database is not trusted (see sslrootcert or ssl-ca)."},
		{server, "127.0.0.1", "sslmode=verify-ca&sslrootcert=" + wrong, "The certificate of the database is not trusted (see sslrootcert or ssl-ca)."},
		{server, "127.0.0.1", "sslmode=verify-full", "The certificate of the database is not trusted (see sslrootcert or ssl-ca)."},
		{server, "localhost", "sslmode=verify-full&sslrootcert=" + right, "The certificate of the database is another host's."},
		{stale, "127.0.0.1", "sslmode=verify-full&sslrootcert=" + right, "The certificate of the database has expired, or is not valid yet."},
		{plain, "127.0.0.1", "sslmode=verify-full&sslrootcert=" + right, "The database does not speak TLS, which its URL demands."},
		{plain, "127.0.0.1", "sslmode=require", "The database does not speak TLS, which its URL demands."},
		{server, "127.0.0.1", "sslmode=verify-full&sslrootcert=" + filepath.Join(authorities, "none.pem"), "a file that it names cannot be read"},
		{server, "127.0.0.1", "sslmode=require&passfile=" + right, `the option "passfile", which is not allowed`},
	} {
		said := over(test.server, test.host, test.options).CLI("migrate", "--output", "json")
		if said.Code != 1 || !strings.Contains(strings.ReplaceAll(said.Stdout, `\"`, `"`), test.why) {
			t.Errorf("%s: %+v, want %q", test.options, said, test.why)
		}
		for _, secret := range []string{"topsecret", "127.0.0.1", "localhost", authorities} {
			if strings.Contains(said.Stdout+said.Stderr, secret) {
				t.Errorf("%s: %q is said: %+v", test.options, secret, said)
			}
		}
	}

	s := over(server, "127.0.0.1", "sslmode=verify-full&sslrootcert="+right)
	s.Migrate()
	s.Coordinator()
	s.Worker()
	id := s.Begin("rows")
	if r := s.Await(id, patience); r.Status != "completed" || r.Created != 100 {
		t.Errorf("%+v", r)
	}
	sessions := server.SQL("app", "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'guarded'")
	if !slices.Equal(sessions, []string{"t"}) {
		t.Errorf("sessions with TLS: %v", sessions)
	}
}

// TestMariaDBOverTLS: only by an authority that is trusted, for the host that the URL names, and with TLS where it is demanded.
func TestMariaDBOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ours, stranger := newAuthority(t), newAuthority(t)
	certificate, key := ours.server(time.Now().Add(time.Hour))
	right, wrong := write("right.pem", ours.text), write("wrong.pem", stranger.text)
	server := rig.StartMariaDB(t, "--ssl-cert="+write("server.crt", certificate), "--ssl-key="+write("server.key", key))
	plain := rig.StartMariaDB(t)
	redis := rig.StartRedis(t, rig.RedisOptions{}).URL()
	over := func(server *rig.MariaDB, host, options string) *rig.System {
		server.SQL("", "CREATE DATABASE IF NOT EXISTS app; CREATE USER IF NOT EXISTS guarded IDENTIFIED BY 'topsecret' REQUIRE SSL; GRANT ALL ON app.* TO guarded")
		at, err := url.Parse(server.URL("app"))
		if err != nil {
			t.Fatal(err)
		}
		s := rig.NewSystem(t, rig.SystemOptions{
			RedisURL: redis, Importers: map[string]string{"rows.yaml": fmt.Sprintf(countedImporter, "rows", "")},
			Database: "mysql://guarded:topsecret@" + net.JoinHostPort(host, at.Port()) + "/app?" + options,
		})
		s.Write("rows.csv", counted(0, 100))
		return s
	}
	for _, test := range []struct {
		server             *rig.MariaDB
		host, options, why string
	}{
		{server, "127.0.0.1", "ssl-mode=verify_identity&ssl-ca=" + wrong, "The certificate of the database is not trusted (see sslrootcert or ssl-ca)."},
		{server, "127.0.0.1", "ssl-mode=verify_identity", "The certificate of the database is not trusted (see sslrootcert or ssl-ca)."},
		{server, "localhost", "ssl-mode=verify_identity&ssl-ca=" + right, "The certificate of the database is another host's."},
		{plain, "127.0.0.1", "ssl-mode=verify_identity&ssl-ca=" + right, "The database does not speak TLS, which its URL demands."},
		{server, "127.0.0.1", "ssl-mode=disabled", "The database refused the login (1045)."},
	} {
		said := over(test.server, test.host, test.options).CLI("migrate", "--output", "json")
		if said.Code != 1 || !strings.Contains(said.Stdout, test.why) || strings.Contains(said.Stdout+said.Stderr, "topsecret") {
			t.Errorf("%s: %+v, want %q", test.options, said, test.why)
		}
	}
	for _, options := range []string{"ssl-mode=verify_identity&ssl-ca=" + right, "ssl-mode=preferred"} {
		s := over(server, "127.0.0.1", options)
		s.Migrate()
		s.Coordinator()
		s.Worker()
		if r := s.Await(s.Begin("rows"), patience); r.Status != "completed" || r.Progress.Successful != 100 {
			t.Errorf("%s: %+v", options, r)
		}
	}
}
