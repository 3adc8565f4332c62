package emulator

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Longest texts of a parameter, in characters.
const (
	maxValue      = 2048
	maxValueError = 512
)

func (s *Server) requestRoutes() []route {
	return []route{
		on("GET", "/requests", s.listRequests),
		on("POST", "/requests", s.postRequest),
		on("GET", "/requests/{id}", s.ofRequest(s.serveRequest)),
		on("PUT", "/requests/{id}", s.ofRequest(s.putRequest)),
		on("GET", "/requests/{id}/render", s.ofRequest(func(_ *call, r *request) (reply, *refusal) {
			if r.template == nil {
				return jsonReply(http.StatusOK, ""), nil
			}
			return jsonReply(http.StatusOK, r.template.body), nil
		})),
		on("POST", "/requests/{id}/approve", s.action("approve", approve)),
		on("POST", "/requests/{id}/fail", s.action("fail", fail)),
		on("POST", "/requests/{id}/inquire", s.action("inquire", inquire)),
		on("POST", "/requests/{id}/pend", s.action("pend", pend)),
		on("POST", "/requests/{id}/schedule", s.action("schedule", schedule)),
		on("POST", "/requests/{id}/revoke", s.action("revoke", revoke)),
		on("POST", "/requests/{id}/confirm", s.action("confirm", confirm)),
		on("POST", "/requests/{id}/purchase", s.action("purchase", purchase)),
		on("POST", "/requests/{id}/assign", s.action("assign", assign)),
		on("POST", "/requests/{id}/unassign", s.action("unassign", unassign)),
	}
}

func (s *Server) ofRequest(serve func(*call, *request) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		r := s.state.requestByID[c.args["id"]]
		if r == nil {
			return reply{}, notFound("Request does not exist.")
		}
		return serve(c, r)
	}
}

func (s *Server) listRequests(c *call) (reply, *refusal) {
	q, refused := s.parseQuery(c.request)
	if refused != nil {
		return reply{}, refused
	}
	return page(q, slices.Values(s.state.candidates(q.filter)), s.state.requestField, q.request)
}

func (s *Server) serveRequest(c *call, r *request) (reply, *refusal) {
	q, refused := s.parseQuery(c.request)
	if refused != nil {
		return reply{}, refused
	}
	return rawReply(http.StatusOK, q.request(nil, r)), nil
}

// putRequest changes parameters and the note, of which only what is sent changes. All is checked before any is saved.
func (s *Server) putRequest(c *call, r *request) (reply, *refusal) {
	body, refused := c.object()
	if refused != nil {
		return reply{}, refused
	}
	open := r.status == statusPending || r.status == statusDraft ||
		(r.status == statusInquiring && r.asset.product.editable)
	if !open {
		return reply{}, wrongState("Parameters can be updated only in requests that are pending, draft, or inquiring " +
			"where the product validates.")
	}
	params, refused := editedParams(r, body)
	if refused != nil {
		return reply{}, refused
	}
	if refused := s.state.setParams(r, params); refused != nil {
		return reply{}, refused
	}
	if note, ok := body["note"].(string); ok {
		r.note = note
	}
	s.state.touch(r)
	return s.serveRequest(c, r)
}

// editedParams returns the request's parameters with the changes that a body {"asset":{"params":[…]}} asks for.
func editedParams(r *request, body map[string]any) ([]param, *refusal) {
	params := slices.Clone(r.params)
	holder, ok := body["asset"]
	if !ok {
		return params, nil
	}
	inner, ok := holder.(map[string]any)
	if !ok {
		return nil, invalid("asset: Invalid data. Expected a dictionary.")
	}
	list, ok := inner["params"]
	if !ok {
		return params, nil
	}
	changes, ok := list.([]any)
	if !ok {
		return nil, invalid(`asset: params: Expected a list of items.`)
	}
	for _, element := range changes {
		change, ok := element.(map[string]any)
		if !ok {
			return nil, invalid("params: Invalid data. Expected a dictionary.")
		}
		id := textAt(change, "id")
		at := slices.IndexFunc(params, func(p param) bool { return p.def.id == id })
		if at < 0 {
			return nil, invalid("params: " + id + ": This parameter does not exist.")
		}
		if refused := edit(&params[at], change); refused != nil {
			return nil, refused
		}
	}
	return params, nil
}

func edit(p *param, change map[string]any) *refusal {
	if value, ok := change["value"]; ok {
		switch value.(type) {
		case map[string]any, []any:
			return invalid("params: " + p.def.id + ": Not a valid string.")
		}
		p.value = plain(value)
	}
	if value, ok := change["value_error"]; ok {
		p.valueError = plain(value)
	}
	if value, ok := change["structured_value"]; ok {
		p.structuredValue = structured(value)
	}
	if value, ok := change["structured_error"]; ok {
		p.structuredError = structured(value)
	}
	switch {
	case utf8.RuneCountInString(p.value) > maxValue:
		return invalid("params: " + p.def.id + ": Ensure this value has at most 2048 characters.")
	case utf8.RuneCountInString(p.valueError) > maxValueError:
		return invalid("params: " + p.def.id + ": Ensure this value_error has at most 512 characters.")
	}
	return nil
}

func structured(value any) []byte {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	}
	return mustJSON(value)
}

// setParams gives a request its parameters, unless a unique value among them is another asset's. A value given up is
// free again only when the asset does not hold it either: the request may yet fail.
func (s *state) setParams(r *request, params []param) *refusal {
	for _, p := range params {
		if holder := s.claims[p.claim(r.asset)]; p.def.unique && p.value != "" && holder != "" && holder != r.asset.id {
			return invalid("params: " + p.def.id + ": The value " + p.value + " is used by " + holder +
				" already, and must be unique.")
		}
	}
	given := r.params
	r.params = params
	if r.typ == typePurchase {
		r.asset.params = params // the asset has no others yet
	}
	s.claim(r.asset, params)
	s.release(r.asset, given)
	return nil
}

func (p param) claim(a *asset) claim {
	return claim{product: a.product.id, param: p.def.id, value: p.value}
}

func (s *state) claim(a *asset, params []param) {
	for _, p := range params {
		if p.def.unique && p.value != "" {
			s.claims[p.claim(a)] = a.id
		}
	}
}

// release frees unique values that neither the asset nor its open request has any more.
func (s *state) release(a *asset, params []param) {
	for _, p := range params {
		kept := func(other param) bool { return other.def == p.def && other.value == p.value }
		open := a.open()
		if !p.def.unique || slices.ContainsFunc(a.params, kept) || (open != nil && slices.ContainsFunc(open.params, kept)) {
			continue
		}
		if s.claims[p.claim(a)] == a.id {
			delete(s.claims, p.claim(a))
		}
	}
}

func missingFulfillment(r *request) []string {
	var missing []string
	for _, p := range r.params {
		if p.def.required && p.def.phase == "fulfillment" && p.empty() {
			missing = append(missing, "params: "+p.def.id+": This field is required.")
		}
	}
	return missing
}

func missingOrdering(params []param) bool {
	return slices.ContainsFunc(params, func(p param) bool {
		return p.def.required && p.def.phase == "ordering" && p.empty()
	})
}

// conversationID is derived: every request has exactly one conversation, from its creation on.
func (r *request) conversationID() string { return "CO-" + strings.TrimPrefix(r.id, "PR-") }
