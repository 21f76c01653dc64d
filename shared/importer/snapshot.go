package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Snapshot is the canonical JSON of a definition, the one a run keeps, and its SHA-256 in hex. Definitions mean
// the same exactly when their hashes are equal.
func (d Definition) Snapshot() (snapshot []byte, hash string) {
	// A definition holds texts, bounded numbers and tables of texts: there is nothing JSON could refuse.
	snapshot, _ = json.Marshal(d)
	sum := sha256.Sum256(snapshot)
	return snapshot, hex.EncodeToString(sum[:])
}

// FromSnapshot reads what Snapshot wrote. Keys it does not know are an error: a definition written by a newer
// version must not be run without the part this version does not understand.
func FromSnapshot(snapshot []byte) (Definition, error) {
	decoder := json.NewDecoder(bytes.NewReader(snapshot))
	decoder.DisallowUnknownFields()
	var d Definition
	if err := decoder.Decode(&d); err != nil {
		return Definition{}, fmt.Errorf("read definition snapshot: %w", err)
	}
	return d, nil
}
