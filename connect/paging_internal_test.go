package connect

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestContentRanges(t *testing.T) {
	type result struct {
		span  span
		total int
	}
	for header, want := range map[string]result{
		"":                {whole, 0},
		"items 0-99/250":  {counted, 250},
		"items 0-0/0":     {counted, 0},
		"items 0-99 / 25": {counted, 25},
		"items */7":       {counted, 7},
		"items 0-99/*":    {open, 0},
		"items 0-99":      {open, 0},
		"items 0-99/-1":   {open, 0},
		"items 0-99/many": {open, 0},
	} {
		var got result
		if got.span, got.total = contentRange(header); got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	f.Add("items 0-99/", 250)
	f.Add(" ", 0)
	f.Add("items 0-99/*/", -3)
	f.Fuzz(func(t *testing.T, before string, total int) {
		kind, got := contentRange(before + strconv.Itoa(total))
		if got < 0 || kind != counted && got != 0 {
			t.Fatalf("%q: span %d of %d", before, kind, got)
		}
		if clean := strings.Count(before, "/") == 1 && strings.HasSuffix(before, "/"); clean && total >= 0 && (kind != counted || got != total) {
			t.Errorf("%q%d: span %d of %d", before, total, kind, got)
		}
	})
}

// FuzzElements holds that a list is split as encoding/json would split it, and
// that what comes before a break is what a list cut there would hold.
func FuzzElements(f *testing.F) {
	for _, text := range []string{`[]`, `[1, {"a":[2]}]`, `[1 2]`, `[1,]`, `[1,{"id":}]`, `[1`, `[1,"`, `{}`, ``, `[}`, `[1]x`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := elements(data)
		for _, element := range p.elements {
			if !json.Valid(element) {
				t.Errorf("the element %q is not JSON", element)
			}
		}
		if err != nil && (p.fault != nil || len(p.elements) > 0) {
			t.Errorf("an error and a page: %v, %+v", err, p)
		}
		var whole []json.RawMessage
		if json.Unmarshal(data, &whole) != nil || whole == nil {
			return
		}
		if err != nil || p.fault != nil || len(p.elements) != len(whole) {
			t.Errorf("%d elements of %d, %v, %v", len(p.elements), len(whole), err, p.fault)
		}
	})
}
