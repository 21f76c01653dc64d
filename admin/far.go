package admin

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ingest/admin/internal/remote"
	"ingest/admin/internal/show"
	"ingest/shared/control"
)

// newRemote returns the client of the server that the command line names, nil when it names none.
func newRemote(c cli, o Options, path string) (*remote.Client, error) {
	token := c.Token.Reveal()
	if c.Server == "" {
		return nil, nil
	}
	if c.TokenFile != "" {
		if token != "" {
			return nil, misuse("--token and --token-file (INGEST_TOKEN, INGEST_TOKEN_FILE) are both given: only one may be")
		}
		text, err := os.ReadFile(inside(o.Workdir, c.TokenFile))
		if err != nil {
			return nil, misuse("--token-file: %v", err)
		}
		token = strings.TrimSpace(string(text))
	}
	client, err := remote.New(c.Server, path, token)
	if err != nil {
		return nil, misuse("--server: %v", err)
	}
	return client, nil
}

// inside is a path of the command line.
func inside(workdir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(workdir, path)
}

// far is a system of which only the service is here.
func (s *session) far() *system {
	return &system{settings: s.settings, control: s.remote, remote: s.remote}
}

// send sends a file, - for standard input, with what is asked for.
func (s *session) send(path string, ask func(remote.Upload) (control.Resource, error)) (control.Resource, error) {
	body, name, size, sent := s.stdin, "stdin", int64(-1), int64(0)
	var again func() error
	if path != "-" {
		path = inside(s.workdir, path)
		file, err := os.Open(path)
		if err != nil {
			return control.Resource{}, err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return control.Resource{}, err
		}
		if info.IsDir() {
			return control.Resource{}, fmt.Errorf("%s is a directory", path)
		}
		body, name = file, filepath.Base(path)
		if info.Mode().IsRegular() {
			size = info.Size()
			again = func() error {
				sent = 0
				_, err := file.Seek(0, io.SeekStart)
				return err
			}
		}
	}
	progress := show.NewUpload(s.screen, name, size, s.now())
	defer progress.End()
	return ask(remote.Upload{
		Name: name, Size: size, Again: again,
		Body: readerFunc(func(p []byte) (int, error) {
			n, err := body.Read(p)
			sent += int64(n)
			progress.Sent(sent, s.now())
			return n, err
		}),
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

var _ io.Reader = readerFunc(nil)
