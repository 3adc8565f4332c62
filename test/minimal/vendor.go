package minimal

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
)

// Tenant is what the vendor keeps for one customer.
type Tenant struct {
	// Limit of licences, 0 until it is set.
	Limit int
	// Enabled is false while the tenant is on hold.
	Enabled bool
	// Deleted tenants answer 404.
	Deleted bool
}

// keyUse is the call an idempotency key was first used for.
type keyUse struct {
	call   string
	answer reply // replayed to a repeated creation
}

// Tenant returns a tenant's state; an unknown one is the zero Tenant.
func (s *Server) Tenant(id string) Tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, found := s.tenants[id]; found {
		return *t
	}
	return Tenant{}
}

// key checks the idempotency key: every call carries one, and one key belongs
// to one call. A non-zero status in the reply refuses the call.
func (s *Server) key(c *call) (string, reply) {
	key := c.Header.Get("Idempotency-Key")
	if key == "" {
		return "", s.fault(c, "VND_001", "Idempotency-Key is missing.")
	}
	this := c.Method + " " + c.URL.Path + " " + string(bytes.TrimSpace(c.body))
	use, used := s.keys[key]
	if used && use.call != this {
		s.violate(c.Method, c.URL.Path, "Idempotency-Key "+key+" was used for "+use.call)
		return "", reply{status: http.StatusConflict, body: failure{"VND_002", []string{"Idempotency-Key belongs to another call."}}}
	}
	s.keys[key] = keyUse{call: this, answer: use.answer}
	return key, reply{}
}

func (s *Server) createTenant(c *call) reply {
	var body struct{}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	key, bad := s.key(c)
	if bad.status != 0 {
		return bad
	}
	if use := s.keys[key]; use.answer.status != 0 {
		return use.answer
	}
	s.stats.Tenants++
	id := fmt.Sprintf("tenant-%d", s.stats.Tenants)
	s.tenants[id] = &Tenant{Enabled: true}
	owner := ""
	for _, r := range s.requests {
		if strings.Contains(key, r.id) {
			owner = r.id
		}
	}
	s.stats.TenantsByRequest[owner]++
	answer := reply{status: http.StatusCreated, body: object{"tenantId": id}}
	s.keys[key] = keyUse{call: s.keys[key].call, answer: answer}
	return answer
}

func (s *Server) limitTenant(c *call) reply {
	var body struct {
		Licences *struct {
			Limit *float64 `json:"limit"`
		} `json:"licences"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if body.Licences == nil || body.Licences.Limit == nil ||
		*body.Licences.Limit < 0 || *body.Licences.Limit != math.Trunc(*body.Licences.Limit) {
		return s.fault(c, "VND_003", "licences.limit must be a whole number.")
	}
	return s.touch(c, func(t *Tenant) { t.Limit = int(*body.Licences.Limit) })
}

func (s *Server) disableTenant(c *call) reply {
	return s.touch(c, func(t *Tenant) { t.Enabled = false })
}

func (s *Server) enableTenant(c *call) reply {
	return s.touch(c, func(t *Tenant) { t.Enabled = true })
}

func (s *Server) deleteTenant(c *call) reply {
	answer := s.touch(c, func(t *Tenant) { t.Deleted = true })
	if answer.status != http.StatusOK {
		return answer
	}
	return reply{status: http.StatusNoContent}
}

// touch changes a tenant that is there; repeating it changes nothing more.
func (s *Server) touch(c *call, change func(*Tenant)) reply {
	if _, bad := s.key(c); bad.status != 0 {
		return bad
	}
	id := c.PathValue("id")
	t, found := s.tenants[id]
	if !found || t.Deleted {
		return notFound()
	}
	change(t)
	return ok(object{"tenantId": id, "enabled": t.Enabled, "licences": object{"limit": t.Limit}})
}
