package config

import (
	"maps"
	"slices"
	"strings"
)

// Setting is one key with the value it has. Secrets are masked.
type Setting struct {
	Key string `json:"key" yaml:"key"`
	// Value is a string, a number or a list of strings.
	Value  any    `json:"value" yaml:"value"`
	Origin Origin `json:"origin" yaml:"origin"`
}

// Effective is every key with its value and where that comes from, in a fixed order: first the keys as Config has
// them, then the connections by name. Origins are known once Complete has been there.
func (c Config) Effective() []Setting {
	var settings []Setting
	for _, k := range keysOf(&c) {
		settings = append(settings, Setting{Key: k.name, Value: k.shown(), Origin: c.origins[k.name]})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Connections)) {
		connection := c.Connections[name]
		settings = append(settings, Setting{Key: urlKey(name), Value: connection.URL.String(), Origin: c.origins[urlKey(name)]})
		if connection.LedgerSchema != "" {
			settings = append(settings, Setting{Key: schemaKey(name), Value: connection.LedgerSchema, Origin: c.origins[schemaKey(name)]})
		}
	}
	return settings
}

// cutKey splits `log.level` into its table and its name there.
func cutKey(name string) (table, rest string, nested bool) {
	table, rest, nested = strings.Cut(name, ".")
	if !nested {
		return "", name, false
	}
	return table, rest, true
}
