package extend

import (
	"context"
	"io"
)

// Source is where bytes come from: `source: {type: NAME, OPTION: …}`. The coordinator that splits a run stores what it
// sends in its spool first, whole, and reads it from there: a stream is opened once per attempt, and need not be there a
// second time once it was stored.
type Source struct {
	Name string
	// Options are the names it takes. `${month}` in them stands for the parameter month of the run.
	Options []string
	// New judges the options and returns what opens the stream. It is called when an importer is read – unless an option
	// holds a parameter –, when a run is started, and by the coordinator; it does not connect. Its error goes on after the
	// name: "needs a bucket". Parameters come from whoever starts a run: it has to refuse what they must not reach.
	New func(o *Options) (Stream, error)
}

// Stream is a source with its options.
type Stream struct {
	// Name is what people call it, like a file: orders.csv.gz. Its ending says whether it is compressed. Left empty it is
	// the name of the source.
	Name string
	// Open begins to read. It and the reads must return soon after ctx ends; Close may come while a read waits. The error, and that of a read, ends the run: its
	// text is the reason, so that it must hold no secret.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Source is the one of that name.
func (x Extensions) Source(name string) (Source, bool) {
	return find(x.Sources, func(s Source) bool { return s.Name == name })
}

// Check answers whether the options are some that the source takes, without judging them.
func (s Source) Check(given map[string]any) error {
	return ReadOptions(given).Known("source", s.Name, s.Options)
}

// Build gives the source its options. The error is for the author of an importer.
func (s Source) Build(given map[string]any) (Stream, error) {
	stream, err := build("source", s.Name, s.Options, given, s.New)
	if stream.Name == "" {
		stream.Name = s.Name
	}
	return stream, err
}
