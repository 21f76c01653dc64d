package importer

import (
	"time"

	"ingest/shared/importer/document"
)

// timezone reads a name of the IANA database. UTC is what counts without one, so it is kept as none.
func (p *parsing) timezone(n *document.Node) {
	text, ok := p.Filled(n, "timezone")
	if !ok {
		return
	}
	// Local would be another zone on another machine.
	if _, err := time.LoadLocation(text); err != nil || text == "Local" {
		p.Report(n, "a name of the IANA database like Europe/Berlin, or UTC", "there is no timezone %q", text)
		return
	}
	if text != "UTC" {
		p.d.Timezone = text
	}
}

// overlap reads what becomes of a run while another one is not over.
func (p *parsing) overlap(n *document.Node) {
	const allow = "allow"
	if text, ok := p.Choice(n, "overlap", allow, OverlapRefuse, OverlapWait); ok && text != allow {
		p.d.Overlap = text
	}
}

// ifUnchanged reads what becomes of a run whose source was imported already.
func (p *parsing) ifUnchanged(n *document.Node) {
	const skip = "skip"
	if text, ok := p.Choice(n, "if_unchanged", "import", skip); ok {
		p.d.SkipUnchanged = text == skip
	}
}
