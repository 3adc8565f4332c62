package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/connect-processor/connect-processor/internal/emulator"
)

func TestPagingToTheEnd(t *testing.T) {
	e := newEmulated(t, emulator.Config{PageCap: 100})
	e.order(t, `{"count":250,"items":[{"mpn":"MPN-A","quantity":1}]}`)
	seen := map[string]bool{}
	offset := 0
	for _, want := range []struct {
		length int
		span   string
	}{
		{100, "items 0-99/250"}, {100, "items 100-199/250"}, {50, "items 200-249/250"}, {0, "items 0-0/250"},
	} {
		got := e.get(t, fmt.Sprintf("/requests/?in(status,(pending))&ordering(created)&limit=1000&offset=%d", offset))
		page := decodeAs[[]request](t, got)
		if len(page) != want.length || got.header.Get("Content-Range") != want.span {
			t.Fatalf("offset %d: %d rows, %q; want %d, %q",
				offset, len(page), got.header.Get("Content-Range"), want.length, want.span)
		}
		for _, r := range page {
			seen[r.ID] = true
		}
		offset += len(page)
	}
	if len(seen) != 250 {
		t.Errorf("%d different requests seen, want 250", len(seen))
	}
}

func TestPageSizes(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	if got := e.get(t, "/requests").header.Get("Content-Range"); got != "items 0-0/0" {
		t.Errorf("empty list: %q, want items 0-0/0", got)
	}
	e.order(t, `{"count":1200,"items":[{"mpn":"MPN-A","quantity":1}]}`)
	for query, want := range map[string]string{
		"":                    "items 0-99/1200",
		"limit=5000":          "items 0-999/1200",
		"limit=0":             "items 0-0/1200",
		"limit=7&offset=1199": "items 1199-1199/1200",
	} {
		got := e.get(t, "/requests?"+query)
		if span := got.header.Get("Content-Range"); span != want {
			t.Errorf("?%s: %q, want %q", query, span, want)
		}
		if query == "limit=0" && string(got.body) != "[]" {
			t.Errorf("limit=0 serves %s, want only the count", got.body)
		}
	}
}

func TestListsFollowRequestsThroughStatuses(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	ids := []string{e.purchase(t).ID, e.purchase(t).ID, e.purchase(t).ID}
	pending := func() string {
		var got []string
		for _, r := range decodeAs[[]request](t, e.get(t, "/requests?status=pending")) {
			got = append(got, r.ID)
		}
		return strings.Join(got, " ")
	}
	e.act(t, ids[0], "schedule", `{"planned_date":"2030-01-01T00:00:00Z"}`)
	if got, want := pending(), strings.Join(ids[1:], " "); got != want {
		t.Errorf("pending: %s, want %s", got, want)
	}
	e.act(t, ids[1], "schedule", `{"planned_date":"2030-01-01T00:00:00Z"}`)
	e.act(t, ids[1], "pend", "")
	e.act(t, ids[0], "pend", "")
	if got, want := pending(), strings.Join(ids, " "); got != want {
		t.Errorf("pending after their return: %s, want %s in order of creation, each once", got, want)
	}
	both := decodeAs[[]request](t, e.get(t, "/requests?in(status,(pending,failed,pending))"))
	if len(both) != 3 {
		t.Errorf("%d requests in a list that names a status twice, want 3", len(both))
	}
}

func TestRequestsOfAnAsset(t *testing.T) {
	e := newEmulated(t, emulator.Config{})
	r := e.active(t)
	e.purchase(t)
	change := e.ordered(t, "change", r.Asset.ID)
	found := decodeAs[[]request](t, e.get(t, "/assets/"+r.Asset.ID+"/requests"))
	if len(found) != 2 || found[0].ID != r.ID || found[1].ID != change.ID {
		t.Errorf("found %v, want the purchase and the change", found)
	}
}

func BenchmarkListing(b *testing.B) {
	e := newEmulated(b, emulator.Config{})
	for range 10 {
		e.control(b, http.StatusCreated, http.MethodPost, "/requests",
			`{"count":10000,"items":[{"mpn":"MPN-A","quantity":1}]}`)
	}
	for b.Loop() {
		e.get(b, "/requests?select(-asset.items,-asset.params)&and(in(asset.product.id,("+emulator.ProductID+
			")),in(asset.connection.type,(preview)),in(status,(pending)))&ordering(created)&limit=1000&offset=50000")
	}
}

func BenchmarkReadingAndSaving(b *testing.B) {
	e := newEmulated(b, emulator.Config{})
	r := e.purchase(b)
	for b.Loop() {
		e.get(b, "/requests/"+r.ID)
		e.saveSubscription(b, r)
	}
}
