package format_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"ingest/shared/format"
	"ingest/shared/row"
)

// table is CSV that does not compress to almost nothing.
func table(rows int) string {
	var b strings.Builder
	b.WriteString("a,b\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%x\n", i, uint64(i+1)*0x9e3779b97f4a7c15)
	}
	return b.String()
}

func TestCompressedSourcesGiveTheSameRows(t *testing.T) {
	t.Parallel()
	in := table(20_000)
	want := read(t, strings.NewReader(in), format.Options{})
	half := len(in) / 2
	for name, test := range map[string]struct{ in, compression string }{
		"gz":             {gzipped(t, in), "gz"},
		"gz of two":      {gzipped(t, in[:half]) + gzipped(t, in[half:]), "gz"},
		"zst":            {zstandard(t, in), "zst"},
		"zst of two":     {zstandard(t, in[:half]) + zstandard(t, in[half:]), "zst"},
		"zst, 32 MiB":    {zstandard(t, in, zstd.WithWindowSize(32<<20), zstd.WithSingleSegment(false)), "zst"},
		"gz of nothing":  {gzipped(t, ""), "gz"},
		"zst of nothing": {zstandard(t, ""), "zst"},
		"gz, no bytes":   {"", "gz"},
		"zst, no bytes":  {"", "zst"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := want
			if strings.Contains(name, "no") {
				want = result{}
			}
			if diff := cmp.Diff(want, read(t, strings.NewReader(test.in), format.Options{Compression: test.compression})); diff != "" {
				t.Errorf("(- want, + got):\n%s", diff)
			}
		})
	}
}

func TestBrokenCompressionSaysWhatToDo(t *testing.T) {
	t.Parallel()
	in := table(20_000)
	damage := func(s string) string {
		b := []byte(s)
		for i := len(b) / 2; i < len(b)/2+64; i++ {
			b[i] ^= 0xff
		}
		return string(b)
	}
	gz, zst := gzipped(t, in), zstandard(t, in)
	const (
		short   = "The file cannot be decompressed (%s): it ends too early. Transfer it again."
		damaged = "The file cannot be decompressed (%s): its data is damaged. Compress or transfer it again."
		behind  = "The file cannot be decompressed (%[1]s): bytes follow its end that are not %[1]s. Compress or transfer it again."
		other   = "The file cannot be decompressed (%[1]s): what it holds is not %[1]s. Take .%[1]s off its name when it is not compressed, else compress it again."
	)
	for name, test := range map[string]struct{ in, compression, want string }{
		"gz cut":               {gz[:len(gz)*3/4], "gz", short},
		"gz cut in its head":   {gz[:5], "gz", short},
		"gz cut in its sum":    {gz[:len(gz)-3], "gz", short},
		"zst cut":              {zst[:len(zst)*3/4], "zst", short},
		"gz damaged":           {damage(gz), "gz", damaged},
		"zst damaged":          {damage(zst), "zst", damaged},
		"gz and a line":        {gz + "\n", "gz", behind},
		"gz and more":          {gz + "more than a header would be long", "gz", behind},
		"two gz and more":      {gz + gz + "x", "gz", behind},
		"gz and half a second": {gz + gz[:7], "gz", short},
		"gz and its magic":     {gz + gz[:1], "gz", short},
		"zst and more":         {zst + "more than a header would be long", "zst", behind},
		"gz that is CSV":       {in, "gz", other},
		"zst that is CSV":      {in, "zst", other},
		"zst with big window":  {zstandard(t, in, zstd.WithWindowSize(64<<20)), "zst", "The file cannot be decompressed (%s): it needs a window over 32 MiB. Compress it with a level up to 20 and without --long."},
		"unknown":              {in, "rar", "The compression '%s' is not known: use gz or zst."},
		"twice":                {gzipped(t, gz), "gz", "The file looks like GZIP, not CSV.%.0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(t, strings.NewReader(test.in), format.Options{Compression: test.compression}).Problem
			if want := fmt.Sprintf(test.want, test.compression); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestBombIsRefused(t *testing.T) {
	t.Parallel()
	bomb := zstandard(t, "a\n"+strings.Repeat(strings.Repeat("x", 1023)+"\n", 80<<10))
	got := read(t, strings.NewReader(bomb), format.Options{Compression: "zst"}).Problem
	if want := "The file (zst) decompresses to more than 1000 times its size: it does not look like CSV."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFailureOfTheSourceIsNotDamage(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	in := table(20_000)
	for compression, data := range map[string]string{"gz": gzipped(t, in), "zst": zstandard(t, in)} {
		c, err := format.Open(io.MultiReader(strings.NewReader(data[:len(data)/2]), iotest.ErrReader(broken)), format.Options{Compression: compression})
		for err == nil {
			err = c.Next(&row.Row{})
		}
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v", compression, err)
		}
	}
}

func TestCompressionOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.csv": "", "a.csv.gz": "gz", "A.CSV.GZ": "gz", "/x.gz/a.zst": "zst", "gz": "", "a.gz.csv": "",
	} {
		if got := format.CompressionOf(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
