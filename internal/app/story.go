package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// A story is the life of one subscription in the demo: requests, each made
// when the one before has ended.
type story []chapter

// A chapter is one request and the end that it must come to.
type chapter struct {
	kind string // request type
	ends string // status on Connect, or parked
	// fault makes the vendor misbehave for this request.
	fault *fault
	items []item
}

type item struct {
	MPN      string `json:"mpn"`
	Quantity int    `json:"quantity"`
}

// fault is what the emulator is told to do wrong.
type fault struct {
	Target string `json:"target"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Kind   string `json:"kind"`
	Status int    `json:"status"`
	Times  int    `json:"times"` // 0: for ever
}

// tenantMark stands in a fault's path for the ID of the story's tenant.
const tenantMark = "TENANT"

func withTenant(path, tenant string) string {
	return strings.ReplaceAll(path, tenantMark, regexp.QuoteMeta(tenant))
}

// How a chapter can end.
const (
	endsApproved = "approved"
	endsFailed   = "failed"
	endsParked   = "parked"
)

// stories are a dozen subscriptions through all five use cases. One change is
// refused, one purchase meets a vendor that does the work and answers with an
// error, and one suspension is refused by the vendor for good.
func stories() []story {
	const dozen = 12
	all := make([]story, dozen)
	for i := range all {
		all[i] = story{
			{kind: "purchase", ends: endsApproved, items: []item{{"MPN-A", 5 + i}}},
			{kind: "change", ends: endsApproved, items: []item{{"MPN-A", 10 + i}}},
			{kind: "suspend", ends: endsApproved},
			{kind: "resume", ends: endsApproved},
			{kind: "cancel", ends: endsApproved},
		}
	}
	all[3][1] = chapter{kind: "change", ends: endsFailed, items: []item{{"MPN-A", 20}, {"MPN-B", 1}}}
	all[5][0].fault = &fault{Target: "vendor", Method: http.MethodPost, Path: "^/tenant$", Kind: "error_after", Status: http.StatusServiceUnavailable, Times: 1}
	all[7][2] = chapter{kind: "suspend", ends: endsParked, fault: &fault{
		Target: "vendor", Method: http.MethodPut, Path: "^/tenant/" + tenantMark + "/disable$", Kind: "error", Status: http.StatusConflict,
	}}
	all[7] = all[7][:3] // a parked request keeps its subscription busy
	return all
}

// stage is the emulator, as its control API sees it.
type stage struct {
	base string // http://host:port
	http *http.Client
}

// placed is a request as the emulator lists it.
type placed struct {
	ID     string            `json:"id"`
	Type   string            `json:"type"`
	Status string            `json:"status"`
	Params map[string]string `json:"params"`
	Asset  string            `json:"asset"`
}

// counters are what the emulator counted.
type counters struct {
	Tenants    int `json:"tenants"`
	Duplicates int `json:"duplicates"`
}

func (s stage) order(ctx context.Context, product, asset string, c chapter) (placed, error) {
	body := map[string]any{"type": c.kind, "product": product}
	if asset != "" {
		body["asset"] = asset
	}
	if len(c.items) > 0 {
		body["items"] = c.items
	}
	var made []struct {
		ID    string `json:"id"`
		Asset struct {
			ID string `json:"id"`
		} `json:"asset"`
	}
	if err := s.call(ctx, http.MethodPost, "/_emulator/requests", body, &made); err != nil {
		return placed{}, err
	}
	if len(made) != 1 {
		return placed{}, fmt.Errorf("ordering a %s: the emulator made %d requests", c.kind, len(made))
	}
	return placed{ID: made[0].ID, Asset: made[0].Asset.ID, Type: c.kind}, nil
}

func (s stage) requests(ctx context.Context) (map[string]placed, error) {
	var state struct {
		Requests []placed `json:"requests"`
	}
	if err := s.call(ctx, http.MethodGet, "/_emulator/state", nil, &state); err != nil {
		return nil, err
	}
	byID := make(map[string]placed, len(state.Requests))
	for _, r := range state.Requests {
		byID[r.ID] = r
	}
	return byID, nil
}

func (s stage) misbehave(ctx context.Context, f fault) error {
	return s.call(ctx, http.MethodPost, "/_emulator/faults", f, nil)
}

func (s stage) counters(ctx context.Context) (counters, error) {
	var c counters
	return c, s.call(ctx, http.MethodGet, "/_emulator/counters", nil, &c)
}

// stageTimeout bounds one call to the emulator.
const stageTimeout = 10 * time.Second

func (s stage) call(ctx context.Context, method, path string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, stageTimeout)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.http.Do(request)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("asking the emulator: %s %s: %s: %s", method, path, response.Status, answer)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("reading the emulator's answer to %s: %w", path, err)
	}
	return nil
}
