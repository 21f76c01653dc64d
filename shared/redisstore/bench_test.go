package redisstore

import (
	"testing"
)

// BenchmarkChunk moves chunks of 64 KiB: emit, then the ack that brings it to its worker.
func BenchmarkChunk(b *testing.B) {
	for _, server := range backends() {
		b.Run(server.name, func(b *testing.B) {
			s := &site{Store: open(b, server.start(b), "bench")}
			ref := s.begin(b, 1)
			data := make([]byte, 64<<10)
			s.emit(b, ref, 0, 1)
			claim, _ := s.acquire(b, ref, "a")
			b.SetBytes(int64(len(data)))
			b.ResetTimer()
			for n := int64(1); b.Loop(); n++ {
				code, _, err := s.Emit(b.Context(), ref, Emission{Number: n + 1, Payload: data, Limit: 1 << 20})
				want(b, OK)(code, err)
				code, next, err := s.Ack(b.Context(), ref, Ack{Number: n, Claim: &claim, More: true, Lease: hour})
				if want(b, OK)(code, err); next == nil {
					b.Fatal("no next chunk")
				}
			}
		})
	}
}

// BenchmarkLease is what a partition costs beside its chunks: acquire, renew, release.
func BenchmarkLease(b *testing.B) {
	for _, server := range backends() {
		b.Run(server.name, func(b *testing.B) {
			s := &site{Store: open(b, server.start(b), "bench")}
			ref := s.begin(b, 16)
			s.emit(b, ref, 0, 1)
			b.ResetTimer()
			for b.Loop() {
				claim, _ := s.acquire(b, ref, "a")
				code, err := s.Renew(b.Context(), ref, claim, hour)
				want(b, OK)(code, err)
				code, err = s.Release(b.Context(), ref, claim)
				want(b, OK)(code, err)
			}
		})
	}
}
