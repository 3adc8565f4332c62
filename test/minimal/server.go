// Package minimal is a small, strict CloudBlue Connect with a vendor's API
// beside it: a second opinion on the processor. It was written from the fact
// reference alone (its sections 1 to 5, and issue 2 for the vendor's side) by an
// author who had seen neither the client nor the emulator, so that a mistake
// they share shows here. It serves purchase, change, cancel, suspend and resume;
// everything else is 404, and what the reference does not allow is refused and
// noted as a violation. Filters are limited to those a processor polls with.
// Nothing but tests imports it; they mount a [Server] with httptest.
package minimal

import (
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// ConnectPath and VendorPath are where the two APIs are mounted; the first is
// deliberately not the platform's own prefix.
const (
	ConnectPath = "/api/public/v1"
	VendorPath  = "/backoffice"
)

// DefaultAPIKey is accepted when [Options.APIKey] is empty.
const DefaultAPIKey = "SU-000-000-001:second-opinion" //nolint:gosec // opens nothing but this server

// QuantityForm is how quantities appear in JSON.
type QuantityForm string

// The forms the platform is known to answer with; the zero value means
// QuantityString. Unlimited is the word in each of them.
const (
	QuantityString  QuantityForm = "string"  // "10"
	QuantityNumber  QuantityForm = "number"  // 10
	QuantityDecimal QuantityForm = "decimal" // 10.0
)

// NullForm is how empty templates, tiers, parameter lists, parameter values and
// assignees appear in JSON.
type NullForm string

// The four spellings of nothing. The zero value answers the shapes of the
// platform's samples, with a template and tiers that are filled in.
const (
	NullNull   NullForm = "null"
	NullAbsent NullForm = "absent"
	NullString NullForm = "string" // ""
	NullObject NullForm = "object" // {}
)

// Options vary what the platform leaves open. The zero value works.
type Options struct {
	// APIKey is the token without its "ApiKey " prefix. Defaults to DefaultAPIKey.
	APIKey string
	// ConnectionType of every asset: test, production or preview. Defaults to test.
	ConnectionType string
	// PageCap, when positive, is the size of every page whatever limit asks for,
	// except limit=0, which still asks for the count alone.
	PageCap int
	// RefuseSelect answers 400 to any select().
	RefuseSelect bool
	// IgnoreTemplateFilter lists templates of every scope and type.
	IgnoreTemplateFilter bool
	// StrictSlash answers 404 to a path that ends in a slash.
	StrictSlash bool
	// QuantityForm defaults to QuantityString.
	QuantityForm QuantityForm
	// NullForm defaults to the shapes of the platform's samples.
	NullForm NullForm
	// LoseAnswer drops the connection after a call took effect, when true.
	LoseAnswer func(method, path string) bool
	// Refuse answers a call with this HTTP status and no effect, unless zero.
	Refuse func(method, path string) int
	// Now dates everything. Defaults to the system's clock.
	Now func() time.Time
}

// Stats is what the server saw so far.
type Stats struct {
	// Tenants ever created at the vendor.
	Tenants int
	// TenantsByRequest counts them by the Connect request whose ID the
	// Idempotency-Key holds, under "" where it holds none.
	TenantsByRequest map[string]int
	// Approvals that took effect, by request.
	Approvals map[string]int
	// Calls by method and route ("POST /api/public/v1/requests/{id}/approve");
	// unknown ones under "unknown", the method and the path.
	Calls map[string]int
	// Violations are the protocol faults of callers, in the order seen.
	Violations []string
}

// Server is both APIs and the state behind them. It is safe for concurrent use.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu            sync.Mutex
	changed       chan struct{} // closed and replaced after every call
	assets        map[string]*asset
	requests      []*request // oldest first
	conversations []*conversation
	tenants       map[string]*Tenant
	keys          map[string]keyUse
	stats         Stats
}

// New returns a server with one product and no requests.
func New(options Options) *Server {
	if options.APIKey == "" {
		options.APIKey = DefaultAPIKey
	}
	if options.ConnectionType == "" {
		options.ConnectionType = "test"
	}
	if options.Now == nil {
		options.Now = time.Now //nolint:forbidigo // the documented default of an injected clock
	}
	s := &Server{
		options: options,
		mux:     http.NewServeMux(),
		changed: make(chan struct{}),
		assets:  map[string]*asset{},
		tenants: map[string]*Tenant{},
		keys:    map[string]keyUse{},
		stats:   Stats{TenantsByRequest: map[string]int{}, Approvals: map[string]int{}, Calls: map[string]int{}},
	}
	for pattern, handler := range map[string]func(*call) reply{
		"GET " + ConnectPath + "/requests":                     s.listRequests,
		"GET " + ConnectPath + "/requests/{id}":                s.onRequest(s.getRequest),
		"PUT " + ConnectPath + "/requests/{id}":                s.onRequest(s.putRequest),
		"POST " + ConnectPath + "/requests/{id}/approve":       s.onRequest(s.approve),
		"POST " + ConnectPath + "/requests/{id}/fail":          s.onRequest(s.fail),
		"POST " + ConnectPath + "/requests/{id}/inquire":       s.onRequest(s.inquire),
		"GET " + ConnectPath + "/products/{id}":                s.getProduct,
		"GET " + ConnectPath + "/products/{id}/templates":      s.listTemplates,
		"GET " + ConnectPath + "/conversations":                s.listConversations,
		"GET " + ConnectPath + "/conversations/{id}":           s.onConversation(s.getConversation),
		"GET " + ConnectPath + "/conversations/{id}/messages":  s.onConversation(s.listMessages),
		"POST " + ConnectPath + "/conversations/{id}/messages": s.onConversation(s.postMessage),
		"POST " + VendorPath + "/tenant":                       s.createTenant,
		"PUT " + VendorPath + "/tenant/{id}":                   s.limitTenant,
		"DELETE " + VendorPath + "/tenant/{id}":                s.deleteTenant,
		"PUT " + VendorPath + "/tenant/{id}/disable":           s.disableTenant,
		"PUT " + VendorPath + "/tenant/{id}/enable":            s.enableTenant,
		"/": func(*call) reply { return notFound() },
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, handler) })
	}
	return s
}

// ServeHTTP answers one call to either API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.options.StrictSlash && len(r.URL.Path) > 1 {
		r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	}
	if r.URL.Path == "" || path.Clean(r.URL.Path) != r.URL.Path {
		s.mu.Lock()
		s.violate(r.Method, r.URL.Path, "path is not written as documented")
		s.mu.Unlock()
		send(w, notFound())
		return
	}
	s.mux.ServeHTTP(w, r)
}

// serve runs one handler under the lock, between what the options do to a call
// before it and to its answer after it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, handler func(*call) reply) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		send(w, refusal("VAL_001", "unreadable body"))
		return
	}
	refused := 0
	if s.options.Refuse != nil {
		refused = s.options.Refuse(r.Method, r.URL.Path)
	}
	c := &call{Request: r, body: body}
	c.lost = refused == 0 && s.options.LoseAnswer != nil && s.options.LoseAnswer(r.Method, r.URL.Path)

	answer := s.answer(c, refused, handler)
	if c.lost {
		drop(w)
		return
	}
	send(w, answer)
}

func (s *Server) answer(c *call, refused int, handler func(*call) reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()

	route := c.Pattern
	if route == "/" {
		route = "unknown " + c.Method + " " + c.URL.Path
	}
	s.stats.Calls[route]++
	if refused != 0 {
		return reply{status: refused, body: failure{"SYS_001", []string{"Refused by the test."}}}
	}
	key := c.Header.Get("Authorization")
	if strings.HasPrefix(c.URL.Path, VendorPath+"/") {
		if strings.Contains(key, s.options.APIKey) {
			s.violate(c.Method, c.URL.Path, "Connect's key was sent to the vendor")
		}
		return handler(c)
	}
	if key != "ApiKey "+s.options.APIKey {
		s.violate(c.Method, c.URL.Path, "missing or wrong Authorization")
		return reply{status: http.StatusUnauthorized, body: failure{"AUTH_001", []string{"API request is unauthorized."}}}
	}
	return handler(c)
}

// wake lets those who wait look again.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Stats returns a copy of what was counted so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Tenants:          s.stats.Tenants,
		TenantsByRequest: maps.Clone(s.stats.TenantsByRequest),
		Approvals:        maps.Clone(s.stats.Approvals),
		Calls:            maps.Clone(s.stats.Calls),
		Violations:       slices.Clone(s.stats.Violations),
	}
}
