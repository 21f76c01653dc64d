package show

import (
	"fmt"
	"strings"
)

// Setting is one line of `ingest config`: a key, its effective value without secrets, and where it comes from.
type Setting struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// Settings prints the effective configuration.
func (p *Page) Settings(all []Setting) {
	rows := make([][]string, len(all))
	for i, s := range all {
		value := fmt.Sprint(s.Value)
		if list, ok := s.Value.([]string); ok {
			value = strings.Join(list, ", ")
		}
		rows[i] = []string{clean(s.Key), clean(value), clean(s.Origin)}
	}
	p.grid([]head{{name: "Key"}, {name: "Value"}, {name: "From"}}, rows)
}

// Migration is what `migrate` did to one connection.
type Migration struct {
	Connection string `json:"connection"`
	Database   string `json:"database"`
	Result     string `json:"result"`
}

// Migrations prints what was done to which connection.
func (p *Page) Migrations(all []Migration) {
	rows := make([][]string, len(all))
	for i, m := range all {
		rows[i] = []string{clean(m.Connection), clean(m.Database), clean(m.Result)}
	}
	p.grid([]head{{name: "Connection"}, {name: "Database", fixed: true}, {name: "Result"}}, rows)
}

// Version says which program this is.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

// Version prints it on one line.
func (p *Page) Version(v Version) {
	if v.Revision != "" {
		p.Line("ingest %s (%s, %s)", v.Version, v.Revision, v.Go)
		return
	}
	p.Line("ingest %s (%s)", v.Version, v.Go)
}

// Token is a new token and the line of the tokens file that lets its holder in.
type Token struct {
	Token string `json:"token"`
	Line  string `json:"line"`
	// File is the tokens file of the configuration, empty when it names none.
	File string `json:"-"`
}

// Token shows a token; it will not be shown again.
func (p *Page) Token(t Token) {
	p.Line("Token (shown only now):")
	p.put("  " + clean(t.Token))
	if t.File == "" {
		p.Line("Add this line to a file and name that file with INGEST_TOKENS_FILE:")
	} else {
		p.Line("Add this line to %s:", p.relative(t.File))
	}
	// One line as it has to stand in the file, however long: it is copied.
	p.put(clean(t.Line))
}
