package redisstore

import (
	"fmt"
	"strconv"
)

// fields reads the reply of an HMGET; after the first value that is no number, err says so. Absent values are zero.
type fields struct {
	values []any
	err    error
}

func (f *fields) has(i int) bool { return f.values[i] != nil }

func (f *fields) text(i int) string {
	text, _ := f.values[i].(string)
	return text
}

func (f *fields) number(i int) int64 {
	text := f.text(i)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("value %d of the hash is no number", i+1)
	}
	return n
}
