// Command example is ingest with names of its own in the importer language, one of each kind: copy it to begin a program
// of yours. payments.yaml beside it is an importer that uses all of them; docs/extending.md explains both.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ingest/admin"
	"ingest/shared/extend"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to end; the second one ends at once, because nobody catches it any more.
	context.AfterFunc(ctx, stop)
	os.Exit(admin.Main(ctx, os.Args[1:], admin.Options{Extensions: extend.Extensions{
		Transforms:   []extend.Transform{iban()},
		Rules:        []extend.Rule{multipleOf()},
		Validators:   []extend.Validator{prefix()},
		Formats:      []extend.Format{fixed()},
		Sources:      []extend.Source{zipped()},
		Destinations: []extend.Destination{jsonl()},
	}}))
}
