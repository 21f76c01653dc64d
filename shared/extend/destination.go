package extend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Destination takes rows that go to no SQL database: those of importers whose connection has a URL that begins with the name
// and a colon, `mine:anything`. The engine's own tables of such runs are in the connection `default`.
//
// It has no transactions that the engine could join. A chunk is delivered at least once: again, with the same Key, when a
// worker ends before the outcome is recorded. Who makes a repeated chunk take effect once – by its Key, or by writing it
// under a name made of it – makes the whole import exactly-once.
type Destination struct {
	Name string
	// Strategies are the duplicate strategies it has for importers with a key: of skip, update, upsert and fail. Others are refused.
	Strategies []string
	// NeedsKey says that importers must have a key.
	NeedsKey bool
	// Path says that what stands behind the name is a path: a relative one is resolved like the others of the configuration.
	Path bool
	// Judge returns what is wrong with a URL, when a program starts, and opens nothing; its error is like that of Open. Nil leaves
	// that to Open.
	Judge func(url string) error
	// Open judges the URL and makes what rows are written to, once per process; it need not connect. Its error goes on
	// after the name: "needs a directory". It must hold no secret.
	Open func(url string) (Sink, error)
}

// Sink writes chunks. It is safe for concurrent use: chunks of different partitions come at once, those of one partition one
// after the other.
type Sink interface {
	// Write delivers the rows of a chunk, which come in the order of the file, and returns a message for every row: empty when
	// the row is in, else why it fails, without its values. Nil stands for nothing but empty ones. After an error the chunk is
	// delivered again, until it is in or the run is cancelled; one made by Permanent ends the run.
	Write(ctx context.Context, chunk Chunk) (messages []string, err error)
	// Close is called once, when the process ends.
	Close() error
}

// Checker is a Sink that `ingest check --connect` asks.
type Checker interface {
	// Check says why nothing could be written now. It leaves nothing behind.
	Check(ctx context.Context) error
}

// Chunk are rows on their way to a Sink.
type Chunk struct {
	// Run is the run's number, for people; UID names the run in all the world; Importer is the name of its importer.
	Run      int64
	UID      string
	Importer string
	// Key names the chunk in all the world: it is the same whenever the chunk is delivered, and no other chunk has it.
	Key string
	// Partition and Number say where it comes from: chunks of one partition are numbered from 1 on, in order.
	Partition int
	Number    int64
	// Table is the destination's table as the importer names it, OnDuplicate the strategy, empty without a key.
	Table       string
	OnDuplicate string
	// Columns are those of the rows, Types what their fields' `type` says, without sizes: text, integer, decimal, float, boolean,
	// date, datetime, json or uuid. KeyColumns are the positions of the key's.
	Columns    []string
	Types      []string
	KeyColumns []int
	Rows       []Record
}

// Record is one row: its number in the source and a value for every column. An absent one is nil: the importer has nothing to
// say about it.
type Record struct {
	Number int64
	Values []*Value
}

// Destination is the one of that name.
func (x Extensions) Destination(name string) (Destination, bool) {
	return find(x.Destinations, func(d Destination) bool { return d.Name == name })
}

// Schemes are the names of the destinations: how the URLs of their connections begin.
func (x Extensions) Schemes() []string {
	return namesOf(x.Destinations, func(d Destination) string { return d.Name })
}

// Takes says whether it has a duplicate strategy.
func (d Destination) Takes(strategy string) bool { return slices.Contains(d.Strategies, strategy) }

// Wrong says what is wrong with a URL, as far as that can be known before it is opened; empty when nothing is.
func (d Destination) Wrong(url string) (problem string) {
	if d.Judge == nil {
		return ""
	}
	defer func() {
		if recover() != nil {
			problem = fmt.Sprintf("the destination '%s' has a bug: it panicked at its URL", d.Name)
		}
	}()
	if err := d.Judge(url); err != nil {
		return fmt.Sprintf("the destination '%s' %s", d.Name, Message(err))
	}
	return ""
}

// Build opens the URL. A panic is a mistake of the URL's.
func (d Destination) Build(url string) (sink Sink, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("the destination '%s' has a bug: it panicked at its URL", d.Name)
		}
	}()
	if sink, err = d.Open(url); err != nil {
		return nil, fmt.Errorf("the destination '%s' %w", d.Name, err)
	}
	return sink, nil
}

// After makes an error that asks for a pause before the chunk is delivered again.
func After(pause time.Duration, err error) error { return &after{err, pause} }

type after struct {
	error
	pause time.Duration
}

func (a *after) Unwrap() error { return a.error }

// Pause is the pause that an error asks for, 0 for most.
func Pause(err error) time.Duration {
	var asked *after
	if errors.As(err, &asked) {
		return asked.pause
	}
	return 0
}

// Permanent makes an error that no repetition mends: it ends the run, whose reason is its text.
func Permanent(err error) error { return &permanent{err} }

type permanent struct{ err error }

func (p *permanent) Error() string { return p.err.Error() }

func (p *permanent) Unwrap() error { return p.err }

// IsPermanent says whether an error was made by Permanent.
func IsPermanent(err error) bool { return errors.As(err, new(*permanent)) }
