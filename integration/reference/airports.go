package reference

// Countries, Regions and Navaids are importers of the OurAirports files in configs/demo/data.

// Countries imports 249 countries, keyed by code; all rows are good.
func Countries(path string) Importer {
	return Importer{
		Slug: "countries", Path: path, Table: "countries", Key: []string{"code"}, OnDuplicate: "update", CreateTable: true,
		Fields: append([]Field{{From: "id", To: "ourairports_id", Type: "integer"}},
			texts("code", "name", "continent", "wikipedia_link", "keywords")...),
		Rules: []Rule{{Column: "code", Rules: "required|string|max:2"}, {Column: "name", Rules: "required|string"}},
	}
}

// Regions imports 3,987 regions, keyed by code; local codes like 02 are text.
func Regions(path string) Importer {
	return Importer{
		Slug: "regions", Path: path, Table: "regions", Key: []string{"code"}, OnDuplicate: "update", CreateTable: true,
		Fields: append([]Field{{From: "id", To: "ourairports_id", Type: "integer"}},
			texts("code", "local_code", "name", "continent", "iso_country", "wikipedia_link", "keywords")...),
		Rules: []Rule{{Column: "code", Rules: "required|string"}, {Column: "iso_country", Rules: "required|string|max:2"}},
	}
}

// Navaids imports 11,008 navaids, keyed by ident, of which many meet: the last one wins. Rows without an elevation
// fail, which are 3,843.
func Navaids(path string) Importer {
	number := func(kind string, names ...string) []Field {
		fields := texts(names...)
		for n := range fields {
			fields[n].Type = kind
		}
		return fields
	}
	fields := append([]Field{{From: "id", To: "ourairports_id", Type: "integer"}}, texts("filename", "ident", "name", "type")...)
	fields = append(fields, number("integer", "frequency_khz")...)
	fields = append(fields, number("float", "latitude_deg", "longitude_deg")...)
	fields = append(fields, number("integer", "elevation_ft")...)
	fields = append(fields, texts("iso_country")...)
	fields = append(fields, number("integer", "dme_frequency_khz")...)
	fields = append(fields, texts("dme_channel")...)
	fields = append(fields, number("float", "dme_latitude_deg", "dme_longitude_deg")...)
	fields = append(fields, number("integer", "dme_elevation_ft")...)
	fields = append(fields, number("float", "slaved_variation_deg", "magnetic_variation_deg")...)
	fields = append(fields, Field{From: "usageType", To: "usage_type"})
	fields = append(fields, texts("power", "associated_airport")...)
	return Importer{
		Slug: "navaids", Path: path, Table: "navaids", Key: []string{"ident"}, OnDuplicate: "update", CreateTable: true,
		Fields: fields,
		Rules:  []Rule{{Column: "elevation_ft", Rules: "required|integer"}},
	}
}

// texts are text fields that keep their names.
func texts(names ...string) []Field {
	fields := make([]Field, len(names))
	for n, name := range names {
		fields[n] = Field{From: name, To: name}
	}
	return fields
}
