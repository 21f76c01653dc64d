package api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"ingest/shared/token"
)

type userKey struct{}

func withUser(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// userOf is the name of the token a request came with, empty where there are no tokens.
func userOf(r *http.Request) string {
	name, _ := r.Context().Value(userKey{}).(string)
	return name
}

// admit says who a request is from, or why it is refused: 401 without a valid token, 403 when its role is too low.
// Without a tokens file everybody on this machine is an admin, but no web page: a browser says where it comes from.
func (a *API) admit(r *http.Request, needed token.Role) (user string, err error) {
	if a.tokens == nil {
		return "", local(r)
	}
	if needed == open {
		return "", nil
	}
	known, err := a.tokens.Tokens()
	if err != nil {
		a.Log.Error("nobody is let in: the tokens file cannot be used", zap.Error(err))
		return "", problem(http.StatusServiceUnavailable, "The tokens file cannot be used: mend it, the server's log says what is wrong.")
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	found, ok := known.Find(strings.TrimSpace(secret), a.Now())
	switch {
	case !strings.EqualFold(scheme, "Bearer") || secret == "":
		return "", problem(http.StatusUnauthorized, "A token is needed: send the header `Authorization: Bearer TOKEN`.")
	case !ok:
		return "", problem(http.StatusUnauthorized, "The token is unknown or has expired.")
	case !found.Role.Allows(needed):
		return "", problem(http.StatusForbidden, "The role "+string(found.Role)+" is too low: this needs "+string(needed)+".")
	}
	return found.Name, nil
}

// local refuses what a web page of somebody else could send: a name that is not this machine's (DNS rebinding), another
// origin.
func local(r *http.Request) error {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !loopback(strings.Trim(host, "[]")) {
		return problem(http.StatusForbidden, "Without tokens the API answers to 127.0.0.1 and localhost only.")
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	from, err := url.Parse(origin)
	if err != nil || from.Host != r.Host {
		return problem(http.StatusForbidden, "Without tokens the API does not answer to web pages of another origin.")
	}
	return nil
}
