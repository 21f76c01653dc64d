package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ingest/shared/extend"
)

// DefaultConnection always exists: it holds the registry.
const DefaultConnection = "default"

const connectionPrefix = "INGEST_CONNECTIONS_"

var schemaPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]{0,62}$`)

// envName is a connection's part of its environment variables: ware-house is WARE_HOUSE.
func envName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// connections are those of the file, changed and added to by the environment, and `default`.
func (d *completing) connections(c *Config) map[string]Connection {
	merged := map[string]Connection{}
	places := map[string]Problem{}
	names := map[string]string{envName(DefaultConnection): DefaultConnection}
	for _, f := range d.file.connections {
		names[envName(f.name)] = f.name
		f.Connection.URL = d.resolved(d.file.base, f.Connection.URL)
		merged[f.name], places[f.name] = f.Connection, f.at
		c.origins[urlKey(f.name)], c.origins[schemaKey(f.name)] = FromFile, FromFile
	}
	for _, variable := range slices.Sorted(maps.Keys(d.environ)) {
		rest, ok := strings.CutPrefix(variable, connectionPrefix)
		if !ok {
			continue
		}
		upper, field, ok := cutField(rest)
		if !ok {
			d.report(Problem{File: variable, Hint: connectionPrefix + "NAME_URL, _URL_FILE or _LEDGER_SCHEMA"}, "unknown key of a connection")
			continue
		}
		name, known := names[upper]
		if !known {
			name = strings.ToLower(upper)
			names[upper] = name
		}
		if !connectionPattern.MatchString(name) || envName(name) != upper {
			d.report(Problem{File: variable}, "a connection's name in a variable is upper-case letters, digits and _, beginning with a letter")
			continue
		}
		connection := merged[name]
		switch field {
		case "_URL":
			connection.URL = d.resolved(d.workdir, Secret(d.environ[variable]))
			c.origins[urlKey(name)] = FromEnv
		case "_URL_FILE":
			url, set := d.secretFile(strings.TrimSuffix(variable, "_FILE"))
			if !set {
				continue
			}
			connection.URL = d.resolved(d.workdir, Secret(url))
			c.origins[urlKey(name)] = FromEnv
		case "_LEDGER_SCHEMA":
			connection.LedgerSchema = d.environ[variable]
			c.origins[schemaKey(name)] = FromEnv
		}
		merged[name], places[name] = connection, Problem{File: variable}
	}
	if base, exists := merged[DefaultConnection]; !exists || base.URL == "" {
		base.URL = Secret("sqlite:" + filepath.Join(c.DataDir, "ingest.db"))
		merged[DefaultConnection] = base
		c.origins[urlKey(DefaultConnection)] = FromDefault
	}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		problem := ""
		switch to, own := d.destination(merged[name].URL); {
		case own && name == DefaultConnection:
			problem = "it has the engine's own tables and must be one of " + databases
		case own && merged[name].LedgerSchema != "":
			problem = "it has no tables of the engine, leave ledger_schema out"
		case own:
			problem = to.Wrong(merged[name].URL.Reveal())
		default:
			problem = judgeConnection(merged[name], d.supported())
		}
		if problem != "" {
			d.report(places[name], fmt.Sprintf("connection %q: %s", name, problem))
		}
	}
	return merged
}

func urlKey(name string) string    { return "connections." + name + ".url" }
func schemaKey(name string) string { return "connections." + name + ".ledger_schema" }

func cutField(rest string) (name, field string, ok bool) {
	for _, field := range []string{"_URL_FILE", "_URL", "_LEDGER_SCHEMA"} {
		if name, ok := strings.CutSuffix(rest, field); ok && name != "" {
			return name, field, true
		}
	}
	return "", "", false
}

// resolveSQLite makes the path of a SQLite URL absolute; its parameters stay.
func resolveSQLite(base string, url Secret) Secret {
	address, ok := strings.CutPrefix(url.Reveal(), "sqlite:")
	if !ok {
		return url
	}
	path, query, hasQuery := strings.Cut(strings.TrimPrefix(address, "//"), "?")
	if path == "" || strings.HasPrefix(path, ":") {
		return url
	}
	resolved := "sqlite:" + absolute(base, path)
	if hasQuery {
		resolved += "?" + query
	}
	return Secret(resolved)
}

// resolved makes the path of a URL that has one absolute.
func (d *completing) resolved(base string, url Secret) Secret {
	to, ok := d.destination(url)
	path := strings.TrimPrefix(url.Reveal(), to.Name+":")
	if !ok || !to.Path || path == "" {
		return resolveSQLite(base, url)
	}
	return Secret(to.Name + ":" + absolute(base, path))
}

// destination is what a URL leads to when that is no SQL database.
func (d *completing) destination(url Secret) (to extend.Destination, ok bool) {
	scheme, _, ok := strings.Cut(url.Reveal(), ":")
	if !ok {
		return to, false
	}
	return extend.Extensions{Destinations: d.destinations}.Destination(scheme)
}

// databases are the URLs that name one.
const databases = "sqlite:PATH, postgres://… and mysql://…"

// supported are the URLs that a connection may have.
func (d *completing) supported() string {
	names := extend.Extensions{Destinations: d.destinations}.Schemes()
	if len(names) == 0 {
		return databases
	}
	return databases + ", and for destinations that are no databases " + strings.Join(names, ", ")
}

// judgeConnection says what is wrong without saying the URL.
func judgeConnection(c Connection, supported string) string {
	if c.URL == "" {
		return "it has no url"
	}
	if c.LedgerSchema != "" && !schemaPattern.MatchString(c.LedgerSchema) {
		return fmt.Sprintf("ledger_schema %q is not a plain schema name", c.LedgerSchema)
	}
	scheme, rest, ok := strings.Cut(c.URL.Reveal(), ":")
	switch {
	case !ok:
		return "the url has no scheme; supported are " + supported
	case scheme == "sqlite" && c.LedgerSchema != "":
		return "SQLite has no schemas, leave ledger_schema out"
	case scheme == "sqlite" && (rest == "" || strings.HasPrefix(rest, "?")):
		return "sqlite: needs the path of a file"
	case scheme == "sqlite" && strings.HasPrefix(rest, ":"):
		return "a SQLite database must be a file: in memory nothing would outlive the process"
	case scheme == "sqlite":
		return ""
	case slices.Contains([]string{"postgres", "postgresql", "mysql", "mariadb"}, scheme) && strings.HasPrefix(rest, "//"):
		return ""
	case strings.HasPrefix(rest, "//"):
		return fmt.Sprintf("the scheme %q is not supported; supported are %s", scheme, supported)
	default:
		return "the url is not one of " + supported
	}
}
