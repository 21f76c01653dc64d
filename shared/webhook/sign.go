package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// The headers of a request.
const (
	KeyHeader       = "Idempotency-Key"
	TimestampHeader = "X-Ingest-Timestamp"
	SignatureHeader = "X-Ingest-Signature"
)

// Sign returns what the headers for time and signature hold: the seconds since 1970, and `sha256=` with the HMAC-SHA256, in hex
// digits, of these seconds, a point and the body.
func Sign(secret string, at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return timestamp, "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
