package minimal

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// requestGrammar is what a poller needs of the filters of /requests.
func requestGrammar() grammar {
	return grammar{
		filters: map[string][]string{
			"status": {
				"draft", "tiers_setup", "pending", "inquiring", "approved", "failed", "scheduled", "revoking", "revoked",
			},
			"type":                  {"purchase", "change", "cancel", "suspend", "resume", "adjustment", "renew", "transfer"},
			"asset.connection.type": {"test", "production", "preview"},
			"asset.product.id":      nil,
		},
		orderings: []string{"created", "updated", "status"},
		selects:   true,
	}
}

func (s *Server) listRequests(c *call) reply {
	rows := []object{}
	for _, r := range s.requests {
		rows = append(rows, s.requestJSON(r))
	}
	return s.list(c, requestGrammar(), rows)
}

// onRequest hands a call the request that its path names.
func (s *Server) onRequest(handler func(*call, *request) reply) func(*call) reply {
	return func(c *call) reply {
		if r := s.find(c.PathValue("id")); r != nil {
			return handler(c, r)
		}
		return notFound()
	}
}

func (s *Server) getRequest(_ *call, r *request) reply { return ok(s.requestJSON(r)) }

func (s *Server) putRequest(c *call, r *request) reply {
	var body struct {
		Note  *string `json:"note"`
		Asset struct {
			Params []struct {
				ID              string          `json:"id"`
				Value           *string         `json:"value"`
				ValueError      *string         `json:"value_error"`
				StructuredError json.RawMessage `json:"structured_error"`
			} `json:"params"`
		} `json:"asset"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if r.status != "pending" {
		return s.wrongState(c, r, "update")
	}
	params := maps.Clone(r.params)
	for _, change := range body.Asset.Params {
		p, known := params[change.ID]
		if !known {
			return s.fault(c, "VAL_001", "params: unknown parameter "+change.ID)
		}
		if change.Value != nil {
			p.value = *change.Value
		}
		if change.ValueError != nil {
			p.fault = *change.ValueError
		}
		if len(p.value) > 2048 || len(p.fault) > 512 {
			return s.fault(c, "VAL_001", change.ID+": value or value_error is too long.")
		}
		if p.value != "" && s.taken(r.asset, change.ID, p.value) {
			return s.fault(c, "VAL_001", change.ID+": The value must be unique.")
		}
		params[change.ID] = p
	}
	r.params = params
	if body.Note != nil {
		r.note = *body.Note
	}
	r.updated = s.options.Now()
	return ok(s.requestJSON(r))
}

// taken tells whether another asset of the product holds the value.
func (s *Server) taken(owner *asset, id, value string) bool {
	return slices.ContainsFunc(s.requests, func(r *request) bool {
		return r.asset != owner && r.params[id].value == value
	})
}

func (s *Server) approve(c *call, r *request) reply {
	var body struct {
		TemplateID     string  `json:"template_id"`
		ActivationTile string  `json:"activation_tile"`
		EffectiveDate  *string `json:"effective_date"`
		Asset          *struct {
			Billing struct {
				NextDate string `json:"next_date"`
			} `json:"billing"`
		} `json:"asset"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if r.status != "pending" {
		return s.wrongState(c, r, "approve")
	}
	if (body.TemplateID == "") == (body.ActivationTile == "") {
		return s.fault(c, "VAL_001", "One of template_id and activation_tile is required.")
	}
	used := r.template
	if body.TemplateID != "" {
		used = ownTemplate(body.TemplateID)
		if used.scope != "asset" || used.kind != "fulfillment" {
			return s.fault(c, "VAL_001", "template_id: "+body.TemplateID+" is not an asset/fulfillment template of the product.")
		}
	}
	if body.EffectiveDate != nil {
		if _, err := time.Parse(time.RFC3339, *body.EffectiveDate); err != nil {
			return s.fault(c, "VAL_001", "effective_date: Datetime has wrong format.")
		}
		r.effective = *body.EffectiveDate
	}
	for id, p := range r.params {
		if p.value == "" {
			return s.fault(c, "VAL_001", "params: "+id+": This field is required.")
		}
	}
	r.template, r.tile = used, body.ActivationTile
	r.lost["approve"] = c.lost
	s.finish(r, "approved")
	s.stats.Approvals[r.id]++
	return ok(s.requestJSON(r))
}

func (s *Server) fail(c *call, r *request) reply {
	var body struct {
		Reason string `json:"reason"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if r.status != "pending" && r.status != "inquiring" {
		return s.wrongState(c, r, "fail")
	}
	if strings.TrimSpace(body.Reason) == "" {
		return s.fault(c, "REQ_005", "Missed fields: reason.")
	}
	r.reason, r.lost["fail"] = body.Reason, c.lost
	s.finish(r, "failed")
	return ok(s.requestJSON(r))
}

func (s *Server) inquire(c *call, r *request) reply {
	var body struct {
		TemplateID     string `json:"template_id"`
		ActivationTile string `json:"activation_tile"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if r.status != "pending" {
		return s.wrongState(c, r, "inquire")
	}
	invalid := false
	for _, p := range r.params {
		invalid = invalid || p.fault != ""
	}
	if !invalid {
		return s.fault(c, "REQ_003", "At least one parameter should be marked as invalid.")
	}
	if body.TemplateID != "" {
		used := ownTemplate(body.TemplateID)
		if used.id == "" {
			return s.fault(c, "VAL_001", "template_id: "+body.TemplateID+" is not a template of the product.")
		}
		r.template = used
	}
	r.lost["inquire"] = c.lost
	r.status, r.handled, r.updated = "inquiring", true, s.options.Now()
	return ok(s.requestJSON(r))
}

// wrongState refuses an action. One whose earlier answer was dropped is no
// violation: its caller could not know.
func (s *Server) wrongState(c *call, r *request, action string) reply {
	message := action + " is not allowed: the request is " + r.status + "."
	if r.lost[action] {
		return refusal("REQ_003", message)
	}
	if action == "approve" && r.status == "approved" {
		s.violate(c.Method, c.URL.Path, "second approve after a 200")
	}
	return s.fault(c, "REQ_003", message)
}
