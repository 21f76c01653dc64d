package admin

import (
	"context"
	"time"

	"ingest/admin/internal/show"
	"ingest/shared/token"
)

type tokenCommand struct {
	Name    string `arg:"" help:"Who the token is for."`
	Role    string `help:"What it allows: viewer, operator or admin." enum:"viewer,operator,admin" required:""`
	Expires string `help:"Day from which on it is not valid any more (2027-01-01); left out, it does not expire." placeholder:"DAY"`
}

// Run makes a token. It is shown this once; only its sum is for the file.
func (c *tokenCommand) Run(_ context.Context, s *session) error {
	if err := token.CheckName(c.Name); err != nil {
		return misuse("%v", err)
	}
	var expires time.Time
	if c.Expires != "" {
		var err error
		if expires, err = token.ParseDay(c.Expires); err != nil {
			return misuse("--expires: %v", err)
		}
		if !expires.After(s.now()) {
			return misuse("--expires: %s is over", c.Expires)
		}
	}
	made := show.Token{File: s.settings.TokensFile}
	made.Token, made.Line = token.New(c.Name, token.Role(c.Role), expires)
	return s.screen.Data(made, func(p *show.Page) { p.Token(made) })
}
