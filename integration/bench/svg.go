package bench

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// bar is a line of a bar chart.
type bar struct {
	name  string
	value float64
	ours  bool
}

type point struct{ x, y float64 }

// curve is a line of a line chart.
type curve struct {
	name   string
	points []point
}

// canvas collects the elements of an SVG. Colours are readable on white and on black.
type canvas struct {
	text          strings.Builder
	width, height float64
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.text, format+"\n", args...) }

func (c *canvas) label(x, y float64, anchor, text string) {
	c.add(`<text x="%.0f" y="%.0f" text-anchor="%s">%s</text>`, x, y, anchor, html.EscapeString(text))
}

func (c *canvas) svg() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" fill="#777">
%s</svg>
`, c.width, c.height, c.text.String())
}

const (
	ours   = "#2f81f7"
	theirs = "#999"
)

// barChart draws values from 0, one below the other, the greatest first.
func barChart(title string, bars []bar) string {
	const names, width, step = 280.0, 800.0, 22.0
	bars = slices.Clone(bars)
	slices.SortStableFunc(bars, func(a, b bar) int { return cmp.Compare(b.value, a.value) })
	c := &canvas{width: width, height: step * (float64(len(bars)) + 1.5)}
	c.label(8, 16, "start", title)
	scale := (width - names - 90) / bars[0].value
	for n, b := range bars {
		y := step * (float64(n) + 1.2)
		colour := theirs
		if b.ours {
			colour = ours
		}
		c.label(names-8, y+15, "end", b.name)
		c.add(`<rect x="%.0f" y="%.1f" width="%.1f" height="%.0f" fill="%s"/>`, names, y+2, b.value*scale, step-4, colour)
		c.label(names+b.value*scale+6, y+15, "start", number(b.value))
	}
	return c.svg()
}

// lineChart draws values from 0 over a logarithmic axis.
func lineChart(title string, curves []curve) string {
	const left, right, top, bottom, width, height = 80.0, 280.0, 32.0, 30.0, 900.0, 400.0
	colours := []string{"#2f81f7", "#d1242f", "#1a7f37", "#bf8700", "#8250df", "#bc4c00", "#1b7c83", "#bf3989", "#6e7781", "#57606a"}
	low, high, most := math.Inf(1), 0.0, 0.0
	for _, line := range curves {
		for _, p := range line.points {
			low, high, most = min(low, p.x), max(high, p.x), max(most, p.y)
		}
	}
	x := func(v float64) float64 {
		if low == high {
			return left
		}
		return left + (width-left-right)*math.Log(v/low)/math.Log(high/low)
	}
	y := func(v float64) float64 { return height - bottom - (height-top-bottom)*v/most }
	c := &canvas{width: width, height: height}
	c.label(8, 16, "start", title)
	tick := math.Pow(10, math.Floor(math.Log10(most)))
	if most/tick < 3 {
		tick /= 2
	}
	for v := 0.0; v <= most; v += tick {
		c.add(`<path d="M%.0f %.1f H%.0f" stroke="#8884"/>`, left, y(v), width-right)
		c.label(left-8, y(v)+4, "end", thousands(int(v)))
	}
	for v := low; v <= high*1.01; v *= 10 {
		c.label(x(v), height-8, "middle", thousands(int(v)))
	}
	for n, line := range curves {
		colour := colours[n%len(colours)]
		var way []string
		for _, p := range line.points {
			way = append(way, fmt.Sprintf("%.1f,%.1f", x(p.x), y(p.y)))
			c.add(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, x(p.x), y(p.y), colour)
		}
		c.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(way, " "), colour)
		c.add(`<rect x="%.0f" y="%.0f" width="12" height="12" fill="%s"/>`, width-right+16, top+20*float64(n), colour)
		c.label(width-right+34, top+20*float64(n)+11, "start", line.name)
	}
	return c.svg()
}
