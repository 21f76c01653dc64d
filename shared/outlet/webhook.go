package outlet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"

	"ingest/shared/extend"
	"ingest/shared/webhook"
)

// webhooks is the destination of connections like `webhook+https://host/path?secret=…`: a signed POST for every chunk.
func webhooks(scheme string, now func() time.Time) extend.Destination {
	name := "webhook+" + scheme
	parse := func(url string) (webhook.Address, error) { return webhook.Parse(strings.TrimPrefix(url, "webhook+")) }
	return extend.Destination{
		Name: name, Strategies: []string{"skip", "update", "upsert", "fail"},
		Judge: func(url string) error {
			_, err := parse(url)
			return err
		},
		Open: func(url string) (extend.Sink, error) {
			address, err := parse(url)
			if err != nil {
				return nil, err
			}
			return receiver{webhook.New(address, now)}, nil
		},
	}
}

type receiver struct{ hook *webhook.Hook }

// delivery is the body of a request, but for its rows, which come last.
type delivery struct {
	Run         int64    `json:"run"`
	Importer    string   `json:"importer"`
	Key         string   `json:"key"`
	Partition   int      `json:"partition"`
	Chunk       int64    `json:"chunk"`
	Table       string   `json:"table"`
	OnDuplicate string   `json:"on_duplicate,omitempty"`
	KeyColumns  []string `json:"key_columns,omitempty"`
	Columns     []string `json:"columns"`
}

// Write implements extend.Sink. It asks once: chunks are delivered again by who delivers them.
func (r receiver) Write(ctx context.Context, c extend.Chunk) ([]string, error) {
	body, err := encodeDelivery(c)
	if err != nil {
		return nil, extend.Permanent(err)
	}
	answer, err := r.hook.Post(ctx, c.Key, body)
	var refused *webhook.Refused
	var later *webhook.Unavailable
	switch {
	case errors.As(err, &refused):
		return nil, extend.Permanent(err)
	case errors.As(err, &later):
		return nil, extend.After(later.After, err)
	case err != nil:
		return nil, err
	}
	return messages(c, answer)
}

func encodeDelivery(c extend.Chunk) ([]byte, error) {
	d := delivery{
		Run: c.Run, Importer: c.Importer, Key: c.Key, Partition: c.Partition, Chunk: c.Number, Table: c.Table,
		OnDuplicate: c.OnDuplicate, Columns: c.Columns,
	}
	for _, at := range c.KeyColumns {
		d.KeyColumns = append(d.KeyColumns, c.Columns[at])
	}
	head, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	o, err := newObjects(c)
	if err != nil {
		return nil, err
	}
	o.b.Write(bytes.TrimSuffix(head, []byte("}")))
	o.b.WriteString(`,"rows":[`)
	for i, row := range c.Rows {
		if i > 0 {
			o.b.WriteByte(',')
		}
		fmt.Fprintf(&o.b, `{"row_number":%d,"values":`, row.Number)
		if err := o.write(row); err != nil {
			return nil, fmt.Errorf("encode row %d: %w", row.Number, err)
		}
		o.b.WriteByte('}')
	}
	o.b.WriteString("]}")
	return o.b.Bytes(), nil
}

// messages reads which rows the receiver does not take: {"errors": {"7": "why"}}. An answer that is no JSON has none.
func messages(c extend.Chunk, answer webhook.Answer) ([]string, error) {
	if media, _, _ := mime.ParseMediaType(answer.Type); media != "application/json" || len(bytes.TrimSpace(answer.Body)) == 0 {
		return nil, nil
	}
	broken := func(what string) ([]string, error) {
		return nil, extend.Permanent(errors.New("its answer " + what + `; expected is {"errors": {"7": "why row 7 fails"}}, or nothing`))
	}
	var said any
	if json.Unmarshal(answer.Body, &said) != nil {
		return broken("is called JSON and is none")
	}
	object, _ := said.(map[string]any)
	if list, ok := object["errors"].([]any); object["errors"] == nil || ok && len(list) == 0 {
		return nil, nil
	}
	failed, ok := object["errors"].(map[string]any)
	if !ok {
		return broken("has errors that are not an object")
	}
	at := make(map[string]int, len(c.Rows))
	for i, row := range c.Rows {
		at[strconv.FormatInt(row.Number, 10)] = i
	}
	list := make([]string, len(c.Rows))
	for number, message := range failed {
		i, known := at[number]
		text, isText := message.(string)
		switch {
		case !known:
			return broken("has an error of a row that is not in the chunk")
		case !isText || strings.TrimSpace(text) == "":
			return broken("has an error that is not a text")
		}
		list[i] = text
	}
	return list, nil
}

// Check implements extend.Checker. It connects and sends nothing: a request would be a delivery.
func (r receiver) Check(ctx context.Context) error { return r.hook.Reach(ctx) }

// Close implements extend.Sink.
func (r receiver) Close() error {
	r.hook.Close()
	return nil
}
