package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ingest/integration/reference"
)

// files are the sources of all scenes, made on first use.
type files struct {
	dir  string
	made map[string]string
}

// The seeds of two products files with the same keys and other values.
const (
	seed      = 1
	otherSeed = 2
)

// products is a products file without errors.
func (b *Bench) products(rows int) string {
	return b.productsFile(reference.Products{Seed: seed, Rows: rows})
}

// changed is the file whose every row differs from the products with the same key.
func (b *Bench) changed(rows int) string {
	return b.productsFile(reference.Products{Seed: otherSeed, Rows: rows})
}

func (b *Bench) productsFile(p reference.Products) string {
	b.Helper()
	return b.files.write(b, fmt.Sprintf("products-%d-%d-%g.csv", p.Seed, p.Rows, p.Bad), func(path string) error { return fill(path, p.Write) })
}

// halves cuts a file in two behind a row; both have its header.
func (b *Bench) halves(path string) (one, two string) {
	b.Helper()
	cut := func(name string, part func(header, rows []byte, half int, to io.Writer) error) string {
		return b.files.write(b, name+"-of-"+filepath.Base(path), func(to string) error {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			header, rows, _ := bytes.Cut(text, []byte("\n"))
			half := len(rows) / 2
			half += bytes.IndexByte(rows[half:], '\n') + 1
			return fill(to, func(w io.Writer) error { return part(header, rows, half, w) })
		})
	}
	write := func(to io.Writer, header, rows []byte) error {
		_, err := to.Write(append(append(bytes.Clone(header), '\n'), rows...))
		return err
	}
	return cut("first", func(header, rows []byte, half int, to io.Writer) error { return write(to, header, rows[:half]) }),
		cut("second", func(header, rows []byte, half int, to io.Writer) error { return write(to, header, rows[half:]) })
}

// write makes a file once per run: scenes share what they import.
func (f *files) write(b *Bench, name string, text func(path string) error) string {
	b.Helper()
	if path, made := f.made[name]; made {
		return path
	}
	path := filepath.Join(f.dir, name)
	if err := text(path); err != nil {
		b.Fatal(err)
	}
	f.made[name] = path
	return path
}

// fill makes a file of what write gives.
func fill(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	return errors.Join(write(out), out.Flush(), file.Close())
}
