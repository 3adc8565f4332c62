package minimal

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Unlimited is the quantity that appears as the word "unlimited".
const Unlimited = -1

// ParameterID is the product's only parameter: of the fulfillment phase,
// required, unique and the reconciliation ID.
const ParameterID = "subscription_id"

type asset struct {
	id         string
	number     int
	status     string
	quantities []int // by item
	params     map[string]param
	requests   int
}

type param struct{ value, fault string }

// request keeps its own items and parameters: they reach the asset when the
// request is approved.
type request struct {
	id, kind, status, reason, note string

	asset      *asset
	before     string // the asset's status when the request was made
	quantities []int
	params     map[string]param
	template   template
	tile       string
	handled    bool // somebody acted, so it has an assignee
	created    time.Time
	updated    time.Time
	effective  string
	lost       map[string]bool // actions that took effect and whose answer was dropped
}

// Asset is the state of a subscription.
type Asset struct {
	// Status is processing, active, suspended, terminating or terminated.
	Status string
	// Quantities by item, in the product's order.
	Quantities []int
	// Params are the approved values by parameter ID.
	Params map[string]string
}

// Purchase makes a new asset and its pending request, and returns the
// request's ID. [Server.AssetOf] tells the asset.
func (s *Server) Purchase(quantity int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := len(s.assets) + 1
	a := &asset{
		id:     fmt.Sprintf("AS-1000-2000-%04d", number),
		number: number,
		params: map[string]param{ParameterID: {}},
	}
	s.assets[a.id] = a
	return s.open(a, "purchase", "processing", []int{quantity})
}

// Change asks for new quantities of an active asset's items and returns the
// request's ID. More quantities than the asset has items add items.
func (s *Server) Change(assetID string, quantities ...int) (string, error) {
	return s.order(assetID, "change", quantities, "active")
}

// Cancel asks to end an active or suspended asset and returns the request's ID.
func (s *Server) Cancel(assetID string) (string, error) {
	return s.order(assetID, "cancel", nil, "active", "suspended")
}

// Suspend asks to put an active asset on hold and returns the request's ID.
func (s *Server) Suspend(assetID string) (string, error) {
	return s.order(assetID, "suspend", nil, "active")
}

// Resume asks to take a suspended asset off hold and returns the request's ID.
func (s *Server) Resume(assetID string) (string, error) {
	return s.order(assetID, "resume", nil, "suspended")
}

// order refuses what the platform refuses a distributor: an asset that is in
// the wrong state, and a second open request of the same asset.
func (s *Server) order(assetID, kind string, quantities []int, from ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, found := s.assets[assetID]
	if !found {
		return "", fmt.Errorf("ordering %s: no asset %s", kind, assetID)
	}
	if !slices.Contains(from, a.status) {
		return "", fmt.Errorf("ordering %s: asset %s is %s", kind, assetID, a.status)
	}
	for _, r := range s.requests {
		if r.asset == a && (r.status == "pending" || r.status == "inquiring") {
			return "", fmt.Errorf("ordering %s: request %s of asset %s is open", kind, r.id, assetID)
		}
	}
	status := a.status
	if kind == "cancel" {
		status = "terminating"
	}
	if quantities == nil {
		quantities = slices.Clone(a.quantities)
	}
	return s.open(a, kind, status, quantities), nil
}

func (s *Server) open(a *asset, kind, assetStatus string, quantities []int) string {
	a.requests++
	now := s.options.Now()
	r := &request{
		id:   fmt.Sprintf("PR-1000-2000-%04d-%03d", a.number, a.requests),
		kind: kind, status: "pending", asset: a, before: a.status,
		quantities: quantities, params: map[string]param{}, lost: map[string]bool{},
		created: now, updated: now,
	}
	for id, p := range a.params {
		r.params[id] = param{value: p.value}
	}
	a.status = assetStatus
	s.requests = append(s.requests, r)
	s.conversations = append(s.conversations, &conversation{
		id: fmt.Sprintf("CO-100-200-%03d", len(s.requests)), instance: r.id, created: now,
	})
	s.wake()
	return r.id
}

// finish ends a request and moves its asset on.
func (s *Server) finish(r *request, status string) {
	r.status, r.handled, r.updated = status, true, s.options.Now()
	switch {
	case status == "failed" && r.kind == "purchase":
		r.asset.status = "terminated"
	case status == "failed":
		r.asset.status = r.before
	default:
		r.asset.status = "active"
		switch r.kind {
		case "cancel":
			r.asset.status = "terminated"
		case "suspend":
			r.asset.status = "suspended"
		}
		r.asset.quantities, r.asset.params = r.quantities, r.params
	}
}

func (s *Server) find(id string) *request {
	for _, r := range s.requests {
		if r.id == id {
			return r
		}
	}
	return nil
}

// Request tells a request's status, the reason it failed for, and its
// parameter values by ID. An unknown request has the status "".
func (s *Server) Request(id string) (status, reason string, params map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r == nil {
		return "", "", nil
	}
	return r.status, r.reason, values(r.params)
}

// Asset tells an asset's state. An unknown one has the status "".
func (s *Server) Asset(id string) Asset {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, found := s.assets[id]
	if !found {
		return Asset{}
	}
	return Asset{Status: a.status, Quantities: slices.Clone(a.quantities), Params: values(a.params)}
}

// AssetOf returns the ID of a request's asset, "" for an unknown request.
func (s *Server) AssetOf(requestID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(requestID); r != nil {
		return r.asset.id
	}
	return ""
}

// SetParameter overwrites a request's parameter behind the processor's back,
// for instance with "" for a subscription that was never recorded. On an
// approved request it overwrites the asset's, which later requests inherit.
func (s *Server) SetParameter(requestID, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(requestID); r != nil {
		r.params[ParameterID] = param{value: value}
	}
}

// Settled waits until none of the requests is pending. Its error is the
// context's and names one that still is.
func (s *Server) Settled(ctx context.Context, requestIDs ...string) error {
	for {
		s.mu.Lock()
		changed := s.changed
		i := slices.IndexFunc(requestIDs, func(id string) bool {
			r := s.find(id)
			return r != nil && r.status == "pending"
		})
		s.mu.Unlock()
		if i < 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for request %s: %w", requestIDs[i], ctx.Err())
		}
	}
}

func values(params map[string]param) map[string]string {
	result := map[string]string{}
	for id, p := range params {
		result[id] = p.value
	}
	return result
}
