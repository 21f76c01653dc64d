package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// key is one key of Config, bound to a value of it.
type key struct {
	name     string // log.level
	flag     string // log-level
	env      string
	fallback string
	value    reflect.Value
}

// keysOf are the keys of a Config in the order of its fields. Connections are not among them.
func keysOf(c *Config) []key {
	return collect(reflect.ValueOf(c).Elem(), "", "")
}

func collect(table reflect.Value, namePrefix, flagPrefix string) []key {
	var keys []key
	for i := range table.NumField() {
		field := table.Type().Field(i)
		name, ok := field.Tag.Lookup("key")
		if !ok {
			continue
		}
		if _, nested := field.Tag.Lookup("embed"); nested {
			keys = append(keys, collect(table.Field(i), name+".", field.Tag.Get("prefix"))...)
			continue
		}
		keys = append(keys, key{
			name:     namePrefix + name,
			flag:     flagPrefix + field.Tag.Get("name"),
			env:      field.Tag.Get("env"),
			fallback: field.Tag.Get("default"),
			value:    table.Field(i),
		})
	}
	return keys
}

// set reads text as kong would. The error says what the text should be.
func (k key) set(text string) error {
	if u, ok := k.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if k.value.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("a duration is a number with a unit like 15s, 2m30s or 1h, not %q", text)
		}
		k.value.SetInt(int64(d))
		return nil
	}
	switch k.value.Kind() {
	case reflect.String:
		k.value.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("a whole number is needed, not %q", text)
		}
		k.value.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("a number is needed, not %q", text)
		}
		k.value.SetFloat(f)
	case reflect.Bool:
		b, known := truths[strings.ToLower(text)]
		if !known {
			return fmt.Errorf("true or false is needed, not %q", text)
		}
		k.value.SetBool(b)
	case reflect.Slice:
		k.value.Set(reflect.ValueOf(strings.Split(text, ",")))
	default:
		return fmt.Errorf("a %s cannot be configured", k.value.Type())
	}
	return nil
}

// truths are what kong takes for true and false.
var truths = map[string]bool{"true": true, "1": true, "yes": true, "false": false, "0": false, "no": false}

// shown is the value for people and for JSON: sizes and durations as they are written, secrets masked.
func (k key) shown() any {
	switch v := k.value.Interface().(type) {
	case fmt.Stringer:
		return v.String()
	default:
		return v
	}
}

// sameAs says whether text means the value the key has.
func (k key) sameAs(text string) bool {
	twin := key{value: reflect.New(k.value.Type()).Elem()}
	return twin.set(text) == nil && reflect.DeepEqual(twin.value.Interface(), k.value.Interface())
}
