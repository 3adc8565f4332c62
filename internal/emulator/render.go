package emulator

import (
	"bytes"
	"strconv"
	"strings"
)

// request renders a request as it is served: its fields, what was patched over them, without what is hidden.
func (q *query) request(b []byte, r *request) []byte {
	if r.raw != "" {
		return append(b, r.raw...)
	}
	w := &writer{buf: append(b, '{'), hidden: q.hidden}
	w.request(r, q.shown)
	w.buf = append(w.buf, '}')
	if r.patch == nil && len(r.removed) == 0 && !q.deep("asset.") {
		return w.buf
	}
	doc, err := decode(w.buf[len(b):])
	if err != nil {
		return w.buf
	}
	doc = mergePatch(doc, r.patch)
	for _, path := range r.removed {
		remove(doc, path)
	}
	return append(b, q.shape(mustJSON(doc))...)
}

// deep tells whether a select hides what the writer writes as one piece: anything below the objects it opens.
func (q *query) deep(opened string) bool {
	for path := range q.hidden {
		if strings.Contains(strings.TrimPrefix(path, opened), ".") {
			return true
		}
	}
	return false
}

func (w *writer) request(r *request, shown map[string]bool) {
	w.text("id", r.id)
	w.text("type", r.typ)
	w.text("status", r.status)
	w.text("note", r.note)
	w.text("reason", r.reason)
	w.raw("answered", strconv.AppendBool(nil, r.answered))
	if r.assignee == nil {
		w.optional("assignee", "")
	} else {
		w.raw("assignee", mustJSON(r.assignee))
	}
	w.text("created", r.created)
	w.text("updated", r.updated)
	w.optional("effective_date", r.effective)
	w.optional("planned_date", r.planned)
	if r.previous == "" {
		w.optional("previous_approved_request", "")
	} else {
		w.object("previous_approved_request", func() { w.text("id", r.previous) })
	}
	w.text("activation_key", r.activationKey)
	w.text("params_form_url", r.formURL)
	w.template(r.template)
	w.events(r.created, r.updated)
	w.object("asset", func() {
		w.assetHead(r.asset, shown["asset.product.capabilities"])
		w.items(r.items, true)
		w.params(r.params)
		w.assetTail(r.asset)
	})
	w.pair("marketplace", r.asset.place.marketplaceID, marketplaceName)
	w.pair("contract", r.asset.place.contractID, "None")
}

// asset renders an asset; template and pending_request are there only when selected, as on Connect.
func (q *query) asset(b []byte, a *asset) []byte {
	w := &writer{buf: append(b, '{'), hidden: q.hidden}
	w.assetHead(a, q.shown["product.capabilities"])
	w.items(a.items, false)
	w.params(a.params)
	w.assetTail(a)
	if q.shown["template"] {
		w.template(a.template)
	}
	if q.shown["pending_request"] {
		if open := a.open(); open == nil {
			w.optional("pending_request", "")
		} else {
			w.object("pending_request", func() {
				w.text("id", open.id)
				w.text("type", open.typ)
				w.text("status", open.status)
			})
		}
	}
	w.buf = append(w.buf, '}')
	if !q.deep("") {
		return w.buf
	}
	return append(b, q.shape(bytes.Clone(w.buf[len(b):]))...)
}

func (w *writer) template(t *template) {
	if t == nil {
		w.optional("template", "")
		return
	}
	w.raw("template", t.ref())
}

func (w *writer) events(created, updated string) {
	w.object("events", func() {
		w.object("created", func() { w.text("at", created) })
		w.object("updated", func() { w.text("at", updated) })
	})
}

func (w *writer) assetHead(a *asset, capabilities bool) {
	w.text("id", a.id)
	w.text("status", a.status)
	w.text("external_id", a.externalID)
	w.text("external_uid", a.externalUID)
	if capabilities {
		w.raw("product", a.product.briefWhole)
	} else {
		w.raw("product", a.product.brief)
	}
	w.object("connection", func() {
		w.text("id", a.place.connectionID)
		w.text("type", a.place.connection)
		w.pair("provider", providerID, "Emulated distributor")
		w.pair("vendor", vendorID, "Emulated vendor")
		w.pair("hub", a.place.hubID, a.place.hubName)
	})
	w.events(a.created, a.updated)
}

func (w *writer) items(items []item, old bool) {
	if !w.key("items") {
		return
	}
	w.buf = append(w.buf, '[')
	for i, it := range items {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(append(w.buf, '{'), it.def.fields...)
		w.buf = appendText(append(w.buf, `,"quantity":`...), it.quantity)
		if old {
			w.buf = appendText(append(w.buf, `,"old_quantity":`...), it.old)
		}
		w.buf = append(w.buf, `,"params":[]}`...)
	}
	w.buf = append(w.buf, ']')
}

func (w *writer) params(params []param) {
	if !w.key("params") {
		return
	}
	w.buf = append(w.buf, '[')
	for i, p := range params {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(append(w.buf, '{'), p.def.fields...)
		w.buf = appendText(append(w.buf, `,"value":`...), p.value)
		w.buf = appendText(append(w.buf, `,"value_error":`...), p.valueError)
		if len(p.structuredValue) > 0 {
			w.buf = append(append(w.buf, `,"structured_value":`...), p.structuredValue...)
		}
		if len(p.structuredError) > 0 {
			w.buf = append(append(w.buf, `,"structured_error":`...), p.structuredError...)
		}
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, ']')
}

func (w *writer) assetTail(a *asset) {
	if a.tiers != nil {
		w.raw("tiers", a.tiers)
	} else {
		w.object("tiers", func() { w.madeUpTiers(a) })
	}
	w.object("configuration", func() { w.raw("params", []byte("[]")) })
	w.pair("marketplace", a.place.marketplaceID, marketplaceName)
	w.pair("contract", a.place.contractID, "None")
}

// madeUpTiers gives every asset a customer of its own, under one reseller.
func (w *writer) madeUpTiers(a *asset) {
	w.object("customer", func() {
		w.text("id", customerID(a))
		w.text("external_id", strconv.Itoa(a.number))
		w.text("type", "customer")
		w.text("name", customerName(a))
		w.raw("contact_info", []byte(`{"address_line1":"1 Main St","address_line2":"","city":"Springfield","state":"",`+
			`"postal_code":"12345","country":"US","contact":{"first_name":"Ada","last_name":"Example",`+
			`"email":"ada@example.com","phone_number":{"country_code":"+1","area_code":"555",`+
			`"phone_number":"0100","extension":""}}}`))
	})
	w.object("tier1", func() {
		w.text("id", resellerID)
		w.text("external_id", "1")
		w.text("type", "reseller")
		w.text("name", "Emulated reseller")
	})
	w.raw("tier2", []byte("{}"))
}

const resellerID = "TA-1-0000-0000-0001"

func customerID(a *asset) string   { return "TA-0" + strings.TrimPrefix(a.id, "AS") }
func customerName(a *asset) string { return "Customer " + strconv.Itoa(a.number) }
