package outlet

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"ingest/shared/extend"
	"ingest/shared/redisstore"
)

// hashes is the destination of connections like `redis://host:6379/1?prefix=shop:`: a hash for every row, named by its key.
func hashes(scheme string) extend.Destination {
	open := func(text string) (*table, error) {
		address, prefix, err := prefixOf(text)
		if err != nil {
			return nil, err
		}
		client, err := redisstore.OpenHashes(address)
		if err != nil {
			return nil, fmt.Errorf("cannot use its URL: %w", err)
		}
		return &table{client: client, prefix: prefix}, nil
	}
	return extend.Destination{
		// `fail` would fail the rows of a chunk that is delivered again: its own hashes are there.
		Name: scheme, Strategies: []string{"skip", "update", "upsert"}, NeedsKey: true,
		Judge: func(text string) error {
			opened, err := open(text)
			if err != nil {
				return err
			}
			return opened.Close()
		},
		Open: func(text string) (extend.Sink, error) {
			opened, err := open(text)
			if err != nil {
				return nil, err
			}
			return opened, nil
		},
	}
}

// prefixOf takes the prefix of keys off a URL; what it has besides is for the client.
func prefixOf(text string) (address, prefix string, err error) {
	address, query, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("has a query that cannot be read: special characters must be percent-encoded")
	}
	prefix = values.Get("prefix")
	if values.Del("prefix"); len(values) > 0 {
		address += "?" + values.Encode()
	}
	return address, prefix, nil
}

// table is safe for concurrent use, as its client is.
type table struct {
	client *redisstore.Hashes
	prefix string
}

// Write implements extend.Sink.
func (t *table) Write(ctx context.Context, c extend.Chunk) ([]string, error) {
	list, messages := make([]redisstore.Hash, 0, len(c.Rows)), make([]string, len(c.Rows))
	var of []int
	for i, row := range c.Rows {
		key, ok := t.key(c, row)
		if !ok {
			messages[i] = "The row has no key."
			continue
		}
		hash := redisstore.Hash{Key: key, Keep: c.OnDuplicate == "skip"}
		for at, value := range row.Values {
			switch {
			case value == nil:
			case value.Null:
				hash.Remove = append(hash.Remove, c.Columns[at])
			default:
				hash.Set = append(hash.Set, c.Columns[at], value.Text)
			}
		}
		list, of = append(list, hash), append(of, i)
	}
	taken, err := t.client.Write(ctx, list)
	if fault := (*redisstore.HashFault)(nil); errors.As(err, &fault) && !fault.Passes {
		return nil, extend.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	for n, is := range taken {
		if is {
			messages[of[n]] = "The key holds something in Redis that is no hash."
		}
	}
	return messages, nil
}

// key is prefix, table and the key's values with colons between. In them % and : are written %25 and %3A, so that no two keys
// are one. A row that lacks a value of its key has none.
func (t *table) key(c extend.Chunk, row extend.Record) (string, bool) {
	key := t.prefix + escaped.Replace(c.Table)
	for _, at := range c.KeyColumns {
		value := row.Values[at]
		if value == nil || value.Null {
			return "", false
		}
		key += ":" + escaped.Replace(value.Text)
	}
	return key, len(c.KeyColumns) > 0
}

var escaped = strings.NewReplacer("%", "%25", ":", "%3A")

// Check implements extend.Checker.
func (t *table) Check(ctx context.Context) error { return t.client.Ping(ctx) }

// Close implements extend.Sink.
func (t *table) Close() error { return t.client.Close() }
