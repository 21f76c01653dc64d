package token

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"
	"time"

	"ingest/shared/importer/document"
)

// Name is what a token may be called.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// CheckName returns nil when a token may have that name.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("a token's name is up to 64 letters, digits, '.', '_', '@' and '-', not %q", name)
	}
	return nil
}

// ParseDay reads the day from whose beginning, in UTC, a token is not valid any more: 2027-01-01.
func ParseDay(text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("a day is like 2027-01-01, not %q", text)
	}
	return day, nil
}

// Parse reads a tokens file: a list of {name, role, sha256, expires}. The error is document.Problems, all of them at
// once with file:line:column. An empty list lets nobody in.
func Parse(file string, text []byte) (Tokens, error) {
	root, problems := document.ParseList(file, text)
	if len(problems) > 0 {
		return nil, problems.Err()
	}
	if root == nil {
		return nil, nil
	}
	p := &parsing{Reader: document.Reader{File: file}}
	for _, item := range root.Items {
		p.token(item)
	}
	if err := p.Problems.Err(); err != nil {
		return nil, err
	}
	return p.tokens, nil
}

type parsing struct {
	document.Reader
	tokens Tokens
}

func (p *parsing) token(n *document.Node) {
	var one Token
	p.Keys(n, "a token", []document.Key{
		{Name: "name", Required: true, Read: func(n *document.Node) {
			one.Name, _ = p.Filled(n, "the name")
			if err := CheckName(one.Name); err != nil {
				p.Report(n, "", "%v", err)
			}
		}},
		{Name: "role", Required: true, Read: func(n *document.Node) {
			text, _ := p.Choice(n, "the role", string(Viewer), string(Operator), string(Admin))
			one.Role = Role(text)
		}},
		{Name: "sha256", Required: true, Read: func(n *document.Node) {
			text, _ := p.Filled(n, "the sum")
			sum, err := hex.DecodeString(text)
			if err != nil || len(sum) != len(one.Sum) {
				p.Report(n, "`ingest token` prints it", "sha256 must be 64 hexadecimal digits")
				return
			}
			copy(one.Sum[:], sum)
		}},
		{Name: "expires", Read: func(n *document.Node) {
			text, _ := p.Filled(n, "expires")
			day, err := ParseDay(text)
			if err != nil {
				p.Report(n, "", "%v", err)
			}
			one.Expires = day
		}},
	})
	p.tokens = append(p.tokens, one)
}

// File is a tokens file that is read again when it changes. It is safe for concurrent use.
type File struct {
	path string

	mu     sync.Mutex
	seen   version
	tokens Tokens
	err    error
}

// version tells one content of a file from another without reading it.
type version struct {
	size  int64
	at    time.Time
	inode any
}

// Open reads the file. It must be there and right.
func Open(path string) (*File, error) {
	f := &File{path: path}
	_, err := f.Tokens()
	return f, err
}

// Tokens returns what the file says now. While it cannot be read, or is wrong, the error says so, and nobody is let in.
func (f *File) Tokens() (Tokens, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err != nil {
		f.seen = version{}
		return nil, fmt.Errorf("read the tokens file (`ingest token NAME --role operator` prints a line for it): %w", err)
	}
	now := version{size: info.Size(), at: info.ModTime(), inode: inode(info)}
	if now == f.seen {
		return f.tokens, f.err
	}
	text, err := read(f.path)
	if err != nil {
		f.seen = version{}
		return nil, fmt.Errorf("read the tokens file: %w", err)
	}
	f.tokens, f.err = Parse(f.path, text)
	f.seen = now
	return f.tokens, f.err
}

// read takes one byte more than a document may have, so that parsing can refuse it.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, document.MaxBytes+1))
}
