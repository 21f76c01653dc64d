package config

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ingest/shared/importer"
	"ingest/shared/run"
)

// maxShowRows bounds an answer that holds rows.
const maxShowRows = 10_000

var pathPattern = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// judge reports every value that cannot be worked with.
func (d *completing) judge(c *Config, keys []key) {
	for _, k := range keys {
		if message := verdict(c, k.name); message != "" {
			d.report(d.place(c, k), k.name+" "+message)
		}
	}
}

// verdict is what is wrong with the value of a key, empty when nothing is.
func verdict(c *Config, name string) string {
	switch name {
	case "redis.url":
		return redisURL(c.Redis.URL)
	case "namespace":
		if c.Namespace != "" && !namespacePattern.MatchString(c.Namespace) {
			return fmt.Sprintf("must be up to 63 letters, digits, '.', '-' and '_', not %q", c.Namespace)
		}
	case "listen":
		return address(c.Listen)
	case "path":
		if !pathPattern.MatchString(c.Path) {
			return fmt.Sprintf("must be like /api/v1/ingest, not %q", c.Path)
		}
	case "max_upload":
		if c.MaxUpload < 1 {
			return "must be at least one byte"
		}
	case "max_source":
		if c.MaxSource < 1 {
			return "must be at least one byte"
		}
	case "source_timeout":
		return lasting(c.SourceTimeout, 10*time.Millisecond, time.Hour)
	case "max_show_rows":
		return within(int64(c.MaxShowRows), 0, maxShowRows)
	case "data_dir":
		return filled(c.DataDir)
	case "importers":
		return filled(c.Importers)
	case "roots":
		if len(c.Roots) == 0 || slices.Contains(c.Roots, "") {
			return "must be a list of directories"
		}
	case "chunk_size":
		return within(int64(c.ChunkSize), 1, importer.MaxChunkSize)
	case "partitions":
		return within(int64(c.Partitions), 1, importer.MaxPartitions)
	case "slots":
		return within(int64(c.Slots), 0, 1024)
	case "in_flight":
		// A full chunk is 1 MiB: with less a run would be handed out row by row.
		if c.InFlight < 1<<20 {
			return fmt.Sprintf("must be at least 1MiB, not %s", c.InFlight)
		}
	case "in_flight_total":
		if c.InFlightTotal < c.InFlight {
			return fmt.Sprintf("must be at least in_flight (%s), not %s", c.InFlight, c.InFlightTotal)
		}
	case "lease":
		return lasting(c.Lease, 100*time.Millisecond, time.Hour)
	case "sweep":
		return lasting(c.Sweep, 10*time.Millisecond, time.Hour)
	case "log_rows":
		return among(c.LogRows, run.LogFailed, run.LogAll, run.LogNone)
	case "max_failed_rows":
		if c.MaxFailedRows < 0 {
			return fmt.Sprintf("must not be negative, not %d", c.MaxFailedRows)
		}
	case "max_failed_ratio":
		if !(c.MaxFailedRatio >= 0 && c.MaxFailedRatio <= 1) {
			return fmt.Sprintf("must be from 0 to 1, not %v", c.MaxFailedRatio)
		}
	case "internal_listen":
		return address(c.InternalListen)
	case "log.level":
		return among(c.Log.Level, "debug", "info", "warn", "error")
	case "log.format":
		return among(c.Log.Format, "console", "json")
	}
	return ""
}

func redisURL(url Secret) string {
	if url == "" {
		return ""
	}
	schemes := []string{"redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}
	scheme, _, ok := strings.Cut(url.Reveal(), "://")
	if !ok || !slices.Contains(schemes, scheme) {
		return "must be a URL that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://"
	}
	return ""
}

// address judges where something listens; empty is nowhere.
func address(text string) string {
	if text == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(text)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Sprintf("must be an address like 127.0.0.1:8080, not %q", text)
	}
	return ""
}

func filled(text string) string {
	if strings.TrimSpace(text) == "" {
		return "must not be empty"
	}
	return ""
}

func within(n, least, most int64) string {
	if n < least || n > most {
		return fmt.Sprintf("must be from %d to %d, not %d", least, most, n)
	}
	return ""
}

func lasting(d, least, most time.Duration) string {
	if d < least || d > most {
		return fmt.Sprintf("must be from %s to %s, not %s", least, most, d)
	}
	return ""
}

func among(text string, choices ...string) string {
	if slices.Contains(choices, text) {
		return ""
	}
	return fmt.Sprintf("must be one of %s, not %q", strings.Join(choices, ", "), text)
}
