package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ingest/shared/durable"
	"ingest/shared/extend"
)

// kind is what files are made of.
type kind struct {
	name string
	// encode is the content of a chunk's file.
	encode func(extend.Chunk) ([]byte, error)
}

// files is the destination of connections like `csv:out/products`: a file for every chunk in that directory.
func files(k kind, now func() time.Time) extend.Destination {
	judge := func(url string) error {
		if strings.TrimPrefix(url, k.name+":") == "" {
			return fmt.Errorf("needs a directory: %s:exports", k.name)
		}
		return nil
	}
	return extend.Destination{
		Name: k.name, Strategies: []string{"skip", "update", "upsert", "fail"}, Path: true, Judge: judge,
		Open: func(url string) (extend.Sink, error) {
			return &directory{kind: k, path: strings.TrimPrefix(url, k.name+":"), now: now}, judge(url)
		},
	}
}

// abandoned is the age at which a file that is still being written belongs to nobody any more.
const abandoned = 24 * time.Hour

type directory struct {
	kind kind
	path string
	now  func() time.Time

	mu   sync.Mutex
	made bool
}

// Write implements extend.Sink. The name of the file is made of the chunk's place: a chunk that is delivered again takes its own.
func (d *directory) Write(_ context.Context, c extend.Chunk) ([]string, error) {
	content, err := d.kind.encode(c)
	if err != nil {
		return nil, extend.Permanent(err)
	}
	if err := d.make(); err != nil {
		return nil, judged("make the directory", err)
	}
	err = durable.Replace(filepath.Join(d.path, fileName(c, d.kind.name)), bytes.NewReader(content), 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		d.forget() // somebody took the directory away
		return nil, fmt.Errorf("write the file of a chunk: %w", err)
	}
	if err != nil {
		return nil, judged("write the file of a chunk", err)
	}
	return nil, nil
}

// make makes the directory, once, and removes from it what a crash left half written.
func (d *directory) make() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made {
		return nil
	}
	if err := os.MkdirAll(d.path, 0o750); err != nil {
		return err
	}
	if err := durable.SyncName(d.path); err != nil {
		return err
	}
	if err := durable.Sweep(d.path, d.now().Add(-abandoned)); err != nil {
		return err
	}
	d.made = true
	return nil
}

func (d *directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made = false
}

// Close implements extend.Sink.
func (*directory) Close() error { return nil }

// Check implements extend.Checker: a file can be made in the directory, or in the one in which it would be made.
func (d *directory) Check(context.Context) error {
	dir := d.path
	for {
		_, err := os.Stat(dir)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	file, err := os.CreateTemp(dir, ".ingest-check-")
	if err != nil {
		return judged("make a file in "+dir, err)
	}
	return errors.Join(file.Close(), durable.Remove(file.Name()))
}

// passing are errors of a file system that may pass: it is full, or a file server is away.
var passing = []error{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN,
}

func judged(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	if slices.ContainsFunc(passing, func(one error) bool { return errors.Is(err, one) }) {
		return err
	}
	return extend.Permanent(err)
}

// fileName sorts by table, run, partition and chunk. The run's number is told apart from that of another installation by the
// beginning of its uid.
func fileName(c extend.Chunk, ending string) string {
	return fmt.Sprintf("%s-%06d-%.8s-%04d-%08d.%s", plain(c.Table), c.Run, c.UID, c.Partition, c.Number, ending)
}

// plain is a table's name as a part of a file's: what is no letter, digit, _, - or a point inside is written as % and hex digits.
func plain(table string) string {
	var b strings.Builder
	for i, c := range []byte(table) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-' && i > 0, c == '.' && i > 0, c >= 0x80:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
