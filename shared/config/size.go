package config

import "ingest/shared/importer/document"

// Size is a number of bytes, written `64MiB`, `8KiB`, `1GiB` or plainly in bytes.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := document.ParseSize(string(text))
	if err != nil {
		return err
	}
	*s = Size(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the shortest spelling.
func (s Size) String() string { return document.FormatSize(int64(s)) }
