package admin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ingest/shared/config"
)

// namespaceName is the file in the data directory that keeps the namespace of an embedded installation. Several of them
// may share one database: each sees the runs of its own only.
const namespaceName = "namespace"

var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// findNamespace takes the namespace that the data directory keeps, if none is configured. Where there is none yet it
// stays empty, which no run has: nothing was ever run here.
func (s *session) findNamespace() error {
	if s.settings.Namespace != "" {
		return nil
	}
	found, err := readNamespace(s.settings.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		if found, err = "", nil; older(s.settings.DataDir) {
			found = config.DefaultNamespace
		}
	}
	s.settings.Namespace = found
	return err
}

// keepNamespace is findNamespace for commands that execute runs: it makes what is missing, once, whoever comes first.
// The directory must be there.
func (s *session) keepNamespace() error {
	if s.settings.Namespace != "" {
		return nil
	}
	dir := s.settings.DataDir
	found, err := readNamespace(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeNamespace(dir); err == nil {
			found, err = readNamespace(dir)
		}
	}
	s.settings.Namespace = found
	return err
}

func readNamespace(dir string) (string, error) {
	path := filepath.Join(dir, namespaceName)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the namespace: %w", err)
	}
	found := strings.TrimSuffix(string(text), "\n")
	if !namespacePattern.MatchString(found) {
		return "", fmt.Errorf("the namespace in %s is damaged: restore it, or set namespace (INGEST_NAMESPACE)", path)
	}
	return found, nil
}

// older says that the data directory was used before namespaces were kept in it: its runs have the default one. Whoever
// uses a directory keeps its namespace before anything else is made in it.
func older(dir string) bool {
	for _, name := range []string{"ingest.db", filepath.Join("spool", "id")} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// makeNamespace writes the file as a whole. A link, unlike a rename, fails when another process was first.
func makeNamespace(dir string) error {
	made := "ingest-" + strings.ToLower(rand.Text())
	if older(dir) {
		made = config.DefaultNamespace
	}
	file, err := os.CreateTemp(dir, namespaceName+".*")
	if err != nil {
		return fmt.Errorf("keep the namespace: %w", err)
	}
	_, err = file.WriteString(made + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		if err = os.Link(file.Name(), filepath.Join(dir, namespaceName)); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Remove(file.Name())); err != nil {
		return fmt.Errorf("keep the namespace: %w", err)
	}
	return nil
}
