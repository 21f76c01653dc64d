// Package source says where the bytes of a run come from and whether they are still the same.
//
// It opens regular files only, so nothing it opens blocks or has no end, and it pins a file by a fingerprint. Its
// errors name the path and what to do.
package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"ingest/shared/run"
)

// edge is how much of a file's beginning and end its fingerprint covers.
const edge = 64 << 10

// Changed says that a source is not any more what a run was started with. Message is meant for people. Such a run
// cannot go on; every other error of Same may pass.
type Changed struct{ Message string }

// Error returns the message.
func (c *Changed) Error() string { return c.Message }

// Open opens a regular file for reading. It never blocks: directories, devices, FIFOs and sockets are refused. The
// errors of a missing or unreadable file wrap fs.ErrNotExist and fs.ErrPermission. The caller closes the file.
func Open(path string) (*os.File, error) {
	// Looking first keeps a device from being opened at all, looking again tells what was really opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, explain(path, err)
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(path, err)
	}
	info, err = file.Stat()
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Inspect returns what identifies the file's content: size, time of the last change, and a hash of both ends. It
// refuses what Open refuses. It reads at most 128 KiB.
func Inspect(path string) (run.Fingerprint, error) {
	file, err := Open(path)
	if err != nil {
		return run.Fingerprint{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return run.Fingerprint{}, explain(path, err)
	}
	sum, buffer := xxhash.New(), make([]byte, 8<<10) // a split asks ten times a second
	size := info.Size()
	for _, from := range []int64{0, max(0, size-edge)} {
		n, err := io.CopyBuffer(sum, io.NewSectionReader(file, from, min(size, edge)), buffer)
		if err != nil {
			return run.Fingerprint{}, explain(path, err)
		}
		if n < min(size, edge) {
			return run.Fingerprint{}, fmt.Errorf("source file %q became shorter while it was read: wait until it is written", path)
		}
	}
	return run.Fingerprint{
		Size: size, ModTime: info.ModTime().UnixNano(), Sum: fmt.Sprintf("%016x", sum.Sum64()),
	}, nil
}

// Sum returns a hash over the whole file, which has to be read for it. It refuses what Open refuses.
func Sum(ctx context.Context, path string) (string, error) {
	file, err := Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum, buffer := sha256.New(), make([]byte, 1<<20)
	for {
		n, err := file.Read(buffer)
		sum.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", explain(path, err)
		}
	}
}

// Same returns nil when the file still has this fingerprint. A *Changed error says how it differs; other errors say
// why that could not be found out.
func Same(path string, f run.Fingerprint) error {
	now, err := Inspect(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Changed{Message: fmt.Sprintf("The source file %s is gone.", path)}
	}
	if err != nil {
		return err
	}
	how := ""
	switch {
	case now.Size != f.Size:
		how = fmt.Sprintf("size %d → %d bytes", f.Size, now.Size)
	case now.Sum != f.Sum:
		how = "same size, other content"
	case now.ModTime != f.ModTime:
		how = fmt.Sprintf("modified %s → %s", moment(f.ModTime), moment(now.ModTime))
	default:
		return nil
	}
	return &Changed{Message: fmt.Sprintf("The source file %s has changed since the run began (%s).", path, how)}
}

func moment(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

func regular(path string, info fs.FileInfo) error {
	kind := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a FIFO"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	default:
		kind = "a device"
	}
	return fmt.Errorf("source %q is %s: name a regular file", path, kind)
}

func explain(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("source file %q was not found, check the path: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("source file %q cannot be read, give this user the right to: %w", path, err)
	default:
		return fmt.Errorf("source file %q: %w", path, err)
	}
}
