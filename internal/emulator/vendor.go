package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
)

const (
	tenantEnabled  = "enabled"
	tenantDisabled = "disabled"
	tenantDeleted  = "deleted"
)

// requestInKey finds the request that an idempotency key was made for.
var requestInKey = regexp.MustCompile(`PR-\d{4}-\d{4}-\d{4}-\d{3,}`)

// A tenant is a customer's account in the vendor's system.
type tenant struct {
	id      string
	request string
	state   string
	limit   any // a json.Number, "unlimited", or nil before licences are set
}

func (t *tenant) served() map[string]any {
	return map[string]any{"tenantId": t.id, "state": t.state, "licences": map[string]any{"limit": t.limit}}
}

func (s *Server) vendorRoutes() []route {
	return []route{
		on("POST", "/tenant", s.keyed(s.createTenant)),
		on("GET", "/tenant/{id}", s.ofTenant(func(_ *call, t *tenant) (reply, *refusal) {
			return jsonReply(http.StatusOK, t.served()), nil
		})),
		on("PUT", "/tenant/{id}", s.keyed(s.ofTenant(setLicences))),
		on("DELETE", "/tenant/{id}", s.keyed(s.ofTenant(func(_ *call, t *tenant) (reply, *refusal) {
			t.state = tenantDeleted
			return noContent(), nil
		}))),
		on("PUT", "/tenant/{id}/disable", s.keyed(s.ofTenant(turn(tenantDisabled)))),
		on("PUT", "/tenant/{id}/enable", s.keyed(s.ofTenant(turn(tenantEnabled)))),
	}
}

const keyHeader = "Idempotency-Key"

// keyed counts calls that change something and carry no idempotency key.
func (s *Server) keyed(serve func(*call) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		if c.request.Header.Get(keyHeader) == "" {
			s.counted.missingKey++
		}
		return serve(c)
	}
}

// ofTenant finds the tenant. A deleted one is gone.
func (s *Server) ofTenant(serve func(*call, *tenant) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		t := s.state.tenantBy[c.args["id"]]
		if t == nil || t.state == tenantDeleted {
			return reply{}, notFound("no such tenant")
		}
		return serve(c, t)
	}
}

// createTenant answers a key it has seen with the answer it gave, and creates nothing.
func (s *Server) createTenant(c *call) (reply, *refusal) {
	if _, refused := c.object(); refused != nil {
		return reply{}, refused
	}
	key := c.request.Header.Get(keyHeader)
	if answer, seen := s.state.created[key]; seen {
		return answer, nil
	}
	t := &tenant{
		id: fmt.Sprintf("t-%06d", len(s.state.tenants)+1), request: requestInKey.FindString(key), state: tenantEnabled,
	}
	s.state.tenants = append(s.state.tenants, t)
	s.state.tenantBy[t.id] = t
	answer := jsonReply(http.StatusCreated, map[string]string{"tenantId": t.id})
	if key != "" {
		s.state.created[key] = answer
	}
	return answer, nil
}

// setLicences takes a number that is not negative, or the word "unlimited": nothing else, a number in quotes included.
func setLicences(c *call, t *tenant) (reply, *refusal) {
	body, refused := c.object()
	if refused != nil {
		return reply{}, refused
	}
	licences, ok := body["licences"].(map[string]any)
	if !ok {
		return reply{}, invalid("licences is required")
	}
	switch limit := licences["limit"].(type) {
	case json.Number:
		if n, err := strconv.ParseFloat(limit.String(), 64); err != nil || n < 0 {
			return reply{}, invalid("licences.limit must not be negative")
		}
		t.limit = limit
	case string:
		if limit != "unlimited" {
			return reply{}, invalid(`licences.limit must be a number or "unlimited"`)
		}
		t.limit = limit
	default:
		return reply{}, invalid("licences.limit is required")
	}
	return jsonReply(http.StatusOK, t.served()), nil
}

func turn(to string) func(*call, *tenant) (reply, *refusal) {
	return func(_ *call, t *tenant) (reply, *refusal) {
		t.state = to
		return jsonReply(http.StatusOK, t.served()), nil
	}
}
