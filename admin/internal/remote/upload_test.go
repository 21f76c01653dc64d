package remote_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ingest/admin/internal/remote"
	"ingest/shared/control"
)

func clientOf(t *testing.T, answer http.HandlerFunc) *remote.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	client, err := remote.New(server.URL, "/api/v1/ingest", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TestAnUploadIsRepeatedWithItsKey: an answer that is lost does not make two runs, and the file is whole again.
func TestAnUploadIsRepeatedWithItsKey(t *testing.T) {
	t.Parallel()
	const content = "name,email\nann,a@example.org\n"
	var mu sync.Mutex
	var keys, files []string
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil || header.Filename != "ü.csv" {
			t.Errorf("the form: %v %v", header, err)
			return
		}
		text, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		keys, files = append(keys, r.Header.Get("Idempotency-Key")), append(files, string(text))
		first := len(keys) == 1
		mu.Unlock()
		if first {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"data": {"id": 7}}`))
	})
	body := strings.NewReader(content)
	run, err := client.Upload(t.Context(), control.StartRequest{Importer: "users"}, remote.Upload{
		Name: "ü.csv", Body: body, Size: int64(len(content)), Again: func() error {
			_, err := body.Seek(0, io.SeekStart)
			return err
		},
	})
	if err != nil || run.ID != 7 {
		t.Fatalf("run %d: %v", run.ID, err)
	}
	if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] || files[0] != content || files[1] != content {
		t.Errorf("keys %q, files %q", keys, files)
	}
}

// TestARefusedUploadIsNotSent: what is refused before the file comes is told, however large the file.
func TestARefusedUploadIsNotSent(t *testing.T) {
	t.Parallel()
	client := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = w.Write([]byte(`{"detail": "The file is larger than the limit of 1GiB (max_upload)."}`))
	})
	read := 0
	_, err := client.Upload(t.Context(), control.StartRequest{Importer: "users"}, remote.Upload{Name: "x.csv", Size: 1 << 40, Body: reader(func(p []byte) (int, error) {
		read += len(p)
		return len(p), nil
	})})
	if control.KindOf(err) != control.Invalid || !strings.Contains(err.Error(), "max_upload") || read > 0 {
		t.Errorf("%v after %d bytes", err, read)
	}
}

type reader func(p []byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }
