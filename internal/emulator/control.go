package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

func (s *Server) controlRoutes() []route {
	return []route{
		on("POST", "/requests", s.controlOrder),
		on("PATCH", "/requests/{id}", s.ofRequest(s.controlPatch)),
		on("POST", "/requests/{id}/answer", s.ofRequest(s.controlAnswer)),
		on("POST", "/requests/{id}/revoke", s.action("revoke", revoke)),
		on("POST", "/requests/{id}/due", s.ofRequest(s.controlDue)),
		on("POST", "/products", s.controlProduct),
		on("DELETE", "/products/{id}/templates/{template}", s.ofProduct(controlDeleteTemplate)),
		on("GET", "/state", func(*call) (reply, *refusal) { return jsonReply(http.StatusOK, s.state.overview()), nil }),
		on("GET", "/counters", func(*call) (reply, *refusal) {
			return jsonReply(http.StatusOK, s.counted.report(s.state)), nil
		}),
		on("POST", "/faults", s.controlAddFault),
		on("GET", "/faults", func(*call) (reply, *refusal) {
			served := make([]map[string]any, 0, len(s.faults.list))
			for _, x := range s.faults.list {
				served = append(served, x.served())
			}
			return jsonReply(http.StatusOK, served), nil
		}),
		on("DELETE", "/faults", func(*call) (reply, *refusal) {
			s.faults.list = nil
			return noContent(), nil
		}),
		on("DELETE", "/faults/{id}", func(c *call) (reply, *refusal) {
			if !s.faults.remove(c.args["id"]) {
				return reply{}, notFound("no such fault")
			}
			return noContent(), nil
		}),
		on("POST", "/reset", func(*call) (reply, *refusal) {
			s.reset()
			return noContent(), nil
		}),
	}
}

const maxCount = 100_000

// controlOrder is the distributor's side in short form: one call places many orders.
func (s *Server) controlOrder(c *call) (reply, *refusal) {
	var form struct {
		Type    string `json:"type"`
		Product string `json:"product"`
		Asset   string `json:"asset"`
		Items   []struct {
			MPN      string `json:"mpn"`
			ID       string `json:"id"`
			Quantity any    `json:"quantity"`
		} `json:"items"`
		Params         map[string]any  `json:"params"`
		ConnectionType string          `json:"connection_type"`
		ExternalID     string          `json:"external_id"`
		Note           string          `json:"note"`
		Tiers          json.RawMessage `json:"tiers"`
		Count          int             `json:"count"`
	}
	if refused := c.into(&form); refused != nil {
		return reply{}, refused
	}
	o := &order{
		typ: form.Type, product: form.Product, asset: form.Asset, connection: form.ConnectionType,
		externalID: form.ExternalID, note: form.Note, tiers: form.Tiers, params: map[string]map[string]any{},
	}
	if o.typ == "" {
		o.typ = typePurchase
	}
	if o.product == "" {
		o.product = ProductID
	}
	for id, value := range form.Params {
		o.params[id] = map[string]any{"value": value}
	}
	for _, it := range form.Items {
		o.items = append(o.items, orderedItem{ref: it.MPN + it.ID, quantity: plain(it.Quantity)})
	}
	count := max(form.Count, 1)
	if count > maxCount || (count > 1 && o.typ != typePurchase) {
		return reply{}, invalid("count: Up to " + strconv.Itoa(maxCount) + ", and for purchases only.")
	}
	body := []byte{'['}
	for i := range count {
		r, refused := s.state.place(o)
		if refused != nil {
			return reply{}, refused
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = (&query{}).request(body, r)
	}
	return rawReply(http.StatusCreated, append(body, ']')), nil
}

// controlAnswer is the customer who fills in the form of an inquiry: nothing is left to correct afterwards.
func (s *Server) controlAnswer(c *call, r *request) (reply, *refusal) {
	if refused := r.must("answer", statusInquiring); refused != nil {
		return reply{}, refused
	}
	var form struct {
		Params map[string]any `json:"params"`
	}
	if refused := c.into(&form); refused != nil {
		return reply{}, refused
	}
	o := &order{params: map[string]map[string]any{}}
	for id, value := range form.Params {
		o.params[id] = map[string]any{"value": value}
	}
	params, refused := orderedParams(r.params, o)
	if refused != nil {
		return reply{}, refused
	}
	if missingOrdering(params) {
		return reply{}, invalid("params: A required ordering parameter is still empty.")
	}
	if refused := s.state.setParams(r, params); refused != nil {
		return reply{}, refused
	}
	r.answered = true
	s.state.toPending(r)
	return s.serveRequest(c, r)
}

// controlDue is the day that a scheduled request was planned for.
func (s *Server) controlDue(c *call, r *request) (reply, *refusal) {
	if refused := r.must("due", statusScheduled); refused != nil {
		return reply{}, refused
	}
	s.state.toPending(r)
	return s.serveRequest(c, r)
}

// controlPatch breaks what a request is served as; the request itself stays whole, and filters go by it. Three forms,
// which may be mixed: fields to merge, "remove" with paths to take out, "raw" with the text to serve ("" ends it).
func (s *Server) controlPatch(c *call, r *request) (reply, *refusal) {
	body, refused := c.object()
	if refused != nil {
		return reply{}, refused
	}
	if raw, ok := body["raw"]; ok {
		r.raw = plain(raw)
		delete(body, "raw")
	}
	if paths, ok := body["remove"].([]any); ok {
		for _, path := range paths {
			r.removed = append(r.removed, plain(path))
		}
		delete(body, "remove")
	}
	if len(body) > 0 {
		merged, ok := mergePatch(r.patch, body).(map[string]any)
		if ok {
			r.patch = merged
		}
	}
	s.state.touch(r)
	return s.serveRequest(c, r)
}

func controlDeleteTemplate(c *call, p *product) (reply, *refusal) {
	before := len(p.templates)
	p.templates = slices.DeleteFunc(p.templates, func(t *template) bool { return t.id == c.args["template"] })
	if len(p.templates) == before {
		return reply{}, notFound("Template does not exist.")
	}
	return noContent(), nil
}

func (s *Server) controlAddFault(c *call) (reply, *refusal) {
	var spec faultSpec
	if refused := c.into(&spec); refused != nil {
		return reply{}, refused
	}
	made, refused := s.faults.add(spec)
	if refused != nil {
		return reply{}, refused
	}
	return jsonReply(http.StatusCreated, map[string]string{"id": made.id}), nil
}

type requestOverview struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Status     string            `json:"status"`
	Asset      string            `json:"asset"`
	Reason     string            `json:"reason"`
	TemplateID string            `json:"template_id"`
	Params     map[string]string `json:"params"`
}

type assetOverview struct {
	ID      string            `json:"id"`
	Status  string            `json:"status"`
	Product string            `json:"product"`
	Params  map[string]string `json:"params"`
	Items   map[string]string `json:"items"` // quantity by MPN
}

type tenantOverview struct {
	ID      string `json:"id"`
	Request string `json:"request"`
	State   string `json:"state"`
	Limit   any    `json:"limit"`
}

// overview is the whole state in a form that a test can compare.
func (s *state) overview() map[string]any {
	requests := make([]requestOverview, 0, len(s.requests))
	for _, r := range s.requests {
		requests = append(requests, requestOverview{
			ID: r.id, Type: r.typ, Status: r.status, Asset: r.asset.id, Reason: r.reason,
			TemplateID: templateID(r.template), Params: valuesByID(r.params),
		})
	}
	assets := make([]assetOverview, 0, len(s.assets))
	for _, a := range s.assets {
		quantities := make(map[string]string, len(a.items))
		for _, it := range a.items {
			quantities[it.def.mpn] = it.quantity
		}
		assets = append(assets, assetOverview{
			ID: a.id, Status: a.status, Product: a.product.id, Params: valuesByID(a.params), Items: quantities,
		})
	}
	tenants := make([]tenantOverview, 0, len(s.tenants))
	for _, t := range s.tenants {
		tenants = append(tenants, tenantOverview{ID: t.id, Request: t.request, State: t.state, Limit: t.limit})
	}
	return map[string]any{"requests": requests, "assets": assets, "tenants": tenants}
}

func valuesByID(params []param) map[string]string {
	values := make(map[string]string, len(params))
	for _, p := range params {
		values[p.def.id] = p.value
	}
	return values
}
