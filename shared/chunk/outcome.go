package chunk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"ingest/shared/row"
	"ingest/shared/run"
)

// outcomeVersion is the first byte of encoded logged rows; 1 = the messages (JSON in s2), then a payload.
const outcomeVersion = 1

// Outcome is what became of one chunk: what the ledger keeps.
type Outcome struct {
	FirstRow int64
	LastRow  int64
	// Hash is the payload's hash.
	Hash   string
	Counts run.Counts
	// Errors counts failed rows by message, Validation messages by "column: message".
	Errors     map[string]int64
	Validation map[string]int64
	// Missing is how many rows of the table were deleted or set because the file no longer has them.
	Missing int64
	// Logged are the rows that are kept with their data, by number.
	Logged []Logged
}

// Logged is a row that is kept: its data as read and why it failed.
type Logged struct {
	Row     row.Row
	Status  string
	Message string
	Fields  []FieldMessage
}

// FieldMessage are the messages of one source column (primary name), in the order of its rules.
type FieldMessage struct {
	Column   string   `json:"column"`
	Messages []string `json:"messages"`
}

// The statuses of a logged row.
const (
	StatusFailed     = "failed"
	StatusSuccessful = "successful"
)

// Fail counts a failed row and keeps it. Rows must come in the order of their numbers.
func (o *Outcome) Fail(r row.Row, message string, fields []FieldMessage) {
	if o.Errors == nil {
		o.Errors, o.Validation = map[string]int64{}, map[string]int64{}
	}
	o.Counts.Failed++
	o.Errors[message]++
	for _, field := range fields {
		for _, text := range field.Messages {
			o.Validation[field.Column+": "+text]++
		}
	}
	o.Logged = append(o.Logged, Logged{Row: r, Status: StatusFailed, Message: message, Fields: fields})
}

// Add takes the outcome of the rows that follow: counts, messages and logged rows.
func (o *Outcome) Add(next Outcome) {
	if o.FirstRow == 0 {
		o.FirstRow = next.FirstRow
	}
	o.LastRow, o.Counts = next.LastRow, o.Counts.Add(next.Counts)
	if o.Errors == nil {
		o.Errors, o.Validation = next.Errors, next.Validation
	} else {
		for message, count := range next.Errors {
			o.Errors[message] += count
		}
		for message, count := range next.Validation {
			o.Validation[message] += count
		}
	}
	o.Logged = append(o.Logged, next.Logged...)
}

// Keep decides which rows stay in Logged (run.LogFailed, LogAll or LogNone), given all rows of the chunk and that
// Logged holds the failed ones.
func (o *Outcome) Keep(what string, rows []row.Row) {
	switch what {
	case run.LogNone:
		for i := range o.Logged {
			r := &o.Logged[i].Row
			*r = row.Row{Number: r.Number, Line: r.Line}
		}
	case run.LogAll:
		failed := o.Logged
		o.Logged = make([]Logged, 0, len(rows))
		for _, r := range rows {
			if len(failed) > 0 && failed[0].Row.Number == r.Number {
				o.Logged, failed = append(o.Logged, failed[0]), failed[1:]
				continue
			}
			o.Logged = append(o.Logged, Logged{Row: r, Status: StatusSuccessful})
		}
	}
}

// note is what a logged row says beside its data.
type note struct {
	Status  string         `json:"status"`
	Message string         `json:"message,omitempty"`
	Fields  []FieldMessage `json:"fields,omitempty"`
}

// EncodeLogged returns the logged rows compressed, nil for none. Cells keep every byte, valid UTF-8 or not.
func EncodeLogged(rows []Logged) ([]byte, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	notes := make([]note, len(rows))
	var data Builder
	for i, logged := range rows {
		notes[i] = note{Status: logged.Status, Message: logged.Message, Fields: logged.Fields}
		data.Append(logged.Row)
	}
	text, err := json.Marshal(notes)
	if err != nil {
		return nil, fmt.Errorf("encode logged rows: %w", err)
	}
	block := s2.Encode(nil, text)
	out := binary.AppendUvarint([]byte{outcomeVersion}, uint64(len(block)))
	out = append(out, block...)
	return data.AppendPayload(out), nil
}

// DecodeLogged is the inverse of EncodeLogged.
func DecodeLogged(data []byte) ([]Logged, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if data[0] != outcomeVersion {
		return nil, fmt.Errorf("logged rows of an unknown version: %w", ErrDamaged)
	}
	length, n := binary.Uvarint(data[1:])
	if n <= 0 || length > uint64(len(data)-1-n) {
		return nil, fmt.Errorf("logged rows end too early: %w", ErrDamaged)
	}
	block, payload := data[1+n:1+n+int(length)], data[1+n+int(length):]
	if size, err := s2.DecodedLen(block); err != nil || size > maxPayload {
		return nil, fmt.Errorf("logged rows of an impossible size: %w", ErrDamaged)
	}
	text, err := s2.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("decompress logged rows: %w", errors.Join(err, ErrDamaged))
	}
	var notes []note
	if err := json.Unmarshal(text, &notes); err != nil {
		return nil, fmt.Errorf("decode logged rows: %w", errors.Join(err, ErrDamaged))
	}
	rows, _, err := Decode(payload)
	if err != nil {
		return nil, err
	}
	if len(rows) != len(notes) {
		return nil, fmt.Errorf("%d logged rows with %d messages: %w", len(rows), len(notes), ErrDamaged)
	}
	logged := make([]Logged, len(rows))
	for i, r := range rows {
		logged[i] = Logged{Row: r, Status: notes[i].Status, Message: notes[i].Message, Fields: notes[i].Fields}
	}
	return logged, nil
}
