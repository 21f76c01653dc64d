package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Resolve returns the absolute path, free of symbolic links, of a source that a definition or a request names. A
// relative path is looked for in each root in turn. The path must exist (else the error wraps fs.ErrNotExist) and
// lie in one of the roots, as written and after links are followed; errors say which roots there are.
func Resolve(roots []string, path string) (string, error) {
	if path == "" {
		return "", errors.New("source path is empty: name a file")
	}
	roots, err := absolute(roots)
	if err != nil {
		return "", err
	}
	inside := false
	for _, root := range roots {
		candidate := path
		if !filepath.IsAbs(path) {
			candidate = filepath.Join(root, path)
		}
		if !within(root, candidate) {
			continue
		}
		inside = true
		found, err := filepath.EvalSymlinks(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("follow source path (roots: %s): %w", strings.Join(roots, ", "), explain(path, err))
		}
		for _, allowed := range roots {
			if within(allowed, found) {
				return found, nil
			}
		}
		inside = false
		break
	}
	if inside {
		return "", fmt.Errorf("source file %q was not found (roots: %s): %w", path, strings.Join(roots, ", "), fs.ErrNotExist)
	}
	return "", fmt.Errorf("source path %q is outside of the roots %s: move the file there, or add its directory to roots",
		path, strings.Join(roots, ", "))
}

// absolute returns the roots as written and, where links lead to them, as they really are.
func absolute(roots []string) ([]string, error) {
	var all []string
	for _, root := range roots {
		root, err := filepath.Abs(root)
		if err != nil {
			return nil, fmt.Errorf("find root %q of sources: %w", root, err)
		}
		all = append(all, root)
		// A root that is not there holds nothing; that is no reason to refuse the others.
		if real, err := filepath.EvalSymlinks(root); err == nil && real != root {
			all = append(all, real)
		}
	}
	return all, nil
}

func within(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(relative)
}
