package emulator

import (
	"cmp"
	"slices"
)

// state is everything there is, guarded by the server's mutex.
type state struct {
	clock    *clock
	products []*product
	assets   []*asset
	requests []*request

	productByID map[string]*product
	assetByID   map[string]*asset
	requestByID map[string]*request
	byStatus    map[string]*statusIndex
	claims      map[claim]string // who holds a unique parameter's value: asset IDs

	tenants   []*tenant
	tenantBy  map[string]*tenant
	created   map[string]reply // by idempotency key
	messages  int
	templates int
}

func newState(c *clock) *state {
	s := &state{
		clock:       c,
		productByID: map[string]*product{},
		assetByID:   map[string]*asset{},
		requestByID: map[string]*request{},
		byStatus:    map[string]*statusIndex{},
		claims:      map[claim]string{},
		tenantBy:    map[string]*tenant{},
		created:     map[string]reply{},
	}
	s.addProduct(exampleProduct())
	return s
}

// A claim is a value that a unique parameter may have only once per product.
type claim struct{ product, param, value string }

// moveTo changes a request's status and everything that depends on the fact that it changed.
func (s *state) moveTo(r *request, status string) {
	if r.status != "" {
		s.byStatus[r.status].stale++
	}
	r.status = status
	index := s.byStatus[status]
	if index == nil {
		index = &statusIndex{status: status}
		s.byStatus[status] = index
	}
	index.add(r)
	s.touch(r)
}

// touch gives a request a new `updated`, at every change of it.
func (s *state) touch(r *request) { r.updated = s.clock.stamp() }

// A statusIndex holds the requests that have one status, oldest first. What left is dropped lazily: moving a request
// costs nothing, and reading costs no more than what was moved since.
type statusIndex struct {
	status  string
	members []*request
	stale   int
	mixed   bool
}

func (x *statusIndex) add(r *request) {
	if n := len(x.members); n > 0 && x.members[n-1].seq >= r.seq {
		x.mixed = true
	}
	x.members = append(x.members, r)
}

func (x *statusIndex) list() []*request {
	if x == nil {
		return nil
	}
	if x.stale > 0 {
		x.members = slices.DeleteFunc(x.members, func(r *request) bool { return r.status != x.status })
		x.stale = 0
	}
	if x.mixed {
		slices.SortFunc(x.members, bySeq)
		x.members = slices.Compact(x.members)
		x.mixed = false
	}
	return x.members
}

func bySeq(a, b *request) int { return cmp.Compare(a.seq, b.seq) }

// candidates returns the requests among which those that pass the filter are, in order of creation.
func (s *state) candidates(filter *node) []*request {
	var found []*request
	if ids, ok := filter.pinned("id"); ok {
		for _, id := range ids {
			if r := s.requestByID[id]; r != nil {
				found = append(found, r)
			}
		}
		slices.SortFunc(found, bySeq)
		return found
	}
	if ids, ok := filter.pinned("asset.id"); ok {
		for _, id := range ids {
			if a := s.assetByID[id]; a != nil {
				found = append(found, a.requests...)
			}
		}
		slices.SortFunc(found, bySeq)
		return found
	}
	if statuses, ok := filter.pinned("status"); ok {
		if len(statuses) == 1 {
			return s.byStatus[statuses[0]].list()
		}
		for _, status := range statuses {
			found = append(found, s.byStatus[status].list()...)
		}
		slices.SortFunc(found, bySeq)
		return found
	}
	return s.requests
}
