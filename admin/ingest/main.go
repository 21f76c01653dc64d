// Command ingest is the import engine: its command line and its server roles.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// An image FROM scratch has neither time zones nor certificate authorities; a machine's own come first.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"

	"ingest/admin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to end; the second one ends at once, because nobody catches it any more.
	context.AfterFunc(ctx, stop)
	os.Exit(admin.Main(ctx, os.Args[1:], admin.Options{}))
}
