package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An order is what a distributor asks for, in either of the forms it arrives in.
type order struct {
	typ         string
	draft       bool
	product     string
	asset       string
	items       []orderedItem
	params      map[string]map[string]any
	connection  string
	externalID  string
	externalUID string
	note        string
	tiers       json.RawMessage
	extra       map[string]any
}

type orderedItem struct {
	ref      string // an item's ID or MPN
	quantity string
}

// place makes a request of an order, or says why the platform would not.
func (s *state) place(o *order) (*request, *refusal) {
	if !slices.Contains(allTypes(), o.typ) {
		return nil, invalid(`type: "` + o.typ + `" is not a valid choice.`)
	}
	if o.typ == typePurchase {
		return s.placePurchase(o)
	}
	a := s.assetByID[o.asset]
	if a == nil {
		return nil, invalid("asset: " + o.asset + ": This asset does not exist.")
	}
	if open := a.open(); open != nil {
		return nil, wrongState("Asset " + a.id + " has an open request already: " + open.id + ".")
	}
	if refused := a.allows(o.typ); refused != nil {
		return nil, refused
	}
	r := &request{typ: o.typ, asset: a, assetBefore: a.status, previous: a.approved, note: o.note, patch: o.extra}
	items, refused := orderedItems(a.product, a.items, o)
	if refused != nil {
		return nil, refused
	}
	r.items = items
	params, refused := orderedParams(a.params, o)
	if refused != nil {
		return nil, refused
	}
	if refused := s.setParams(r, params); refused != nil {
		return nil, refused
	}
	if o.typ == typeCancel {
		a.status = assetTerminating
	}
	s.add(r)
	s.begin(r)
	return r, nil
}

// allows tells whether an asset's status and product allow a new request of a type.
func (a *asset) allows(typ string) *refusal {
	from := []string{assetActive}
	switch typ {
	case typeResume:
		from = []string{assetSuspended}
	case typeCancel:
		from = []string{assetActive, assetSuspended}
	}
	if !slices.Contains(from, a.status) {
		return wrongState("A " + typ + " request needs an asset that is " + strings.Join(from, " or ") + "; " + a.id +
			" is " + a.status + ".")
	}
	if (typ == typeSuspend || typ == typeResume) && !a.product.hold {
		return wrongState("Product " + a.product.id + " does not offer the administrative hold.")
	}
	return nil
}

func (s *state) placePurchase(o *order) (*request, *refusal) {
	p := s.productByID[o.product]
	if p == nil {
		return nil, invalid("asset: product: " + o.product + ": This product does not exist.")
	}
	where, ok := placeOf(o.connection)
	if !ok {
		return nil, invalid(`asset: connection: "` + o.connection + `" is not a valid choice.`)
	}
	number := len(s.assets) + 1
	a := &asset{
		number: number, id: fmt.Sprintf("AS-1000-%04d-%04d", number/10000, number%10000), product: p, place: where,
		status: assetProcessing, externalID: o.externalID, externalUID: o.externalUID, tiers: o.tiers,
	}
	if a.externalID == "" {
		a.externalID = strconv.Itoa(number)
	}
	if a.externalUID == "" {
		a.externalUID = fmt.Sprintf("00000000-0000-4000-8000-%012d", number)
	}
	blank := make([]param, 0, len(p.params))
	for _, def := range p.params {
		if def.scope == "asset" && (def.phase == "ordering" || def.phase == "fulfillment") {
			blank = append(blank, param{def: def})
		}
	}
	r := &request{typ: typePurchase, asset: a, assetBefore: assetProcessing, note: o.note, patch: o.extra}
	items, refused := orderedItems(p, nil, o)
	if refused != nil {
		return nil, refused
	}
	r.items, a.items = items, slices.Clone(items)
	params, refused := orderedParams(blank, o)
	if refused != nil {
		return nil, refused
	}
	if refused := s.setParams(r, params); refused != nil {
		return nil, refused
	}
	a.created = s.clock.stamp()
	a.updated = a.created
	s.assets = append(s.assets, a)
	s.assetByID[a.id] = a
	s.add(r)
	if o.draft {
		a.status = assetDraft
		s.moveTo(r, statusDraft)
		return r, nil
	}
	s.begin(r)
	return r, nil
}

// add gives a request its ID (the asset's digits and a number), and its place in the lists.
func (s *state) add(r *request) {
	r.id = fmt.Sprintf("PR-%s-%03d", strings.TrimPrefix(r.asset.id, "AS-"), len(r.asset.requests)+1)
	r.seq = len(s.requests)
	r.created = s.clock.stamp()
	r.asset.requests = append(r.asset.requests, r)
	s.requests = append(s.requests, r)
	s.requestByID[r.id] = r
}

// begin puts a new order to the vendor, or back to the customer when required ordering parameters are missing.
func (s *state) begin(r *request) {
	if missingOrdering(r.params) {
		r.template = r.asset.product.firstTemplate("inquire")
		s.toInquiring(r)
		return
	}
	s.toPending(r)
}

// orderedItems lists every item of the asset and every ordered one, each with the quantity it had and will have.
func orderedItems(p *product, current []item, o *order) ([]item, *refusal) {
	items := make([]item, 0, len(current)+len(o.items))
	for _, it := range current {
		items = append(items, item{def: it.def, quantity: it.quantity, old: it.quantity})
	}
	wanted := o.items
	switch {
	case o.typ != typePurchase && o.typ != typeChange:
		wanted = nil
	case len(wanted) == 0:
		return nil, invalid("asset: items: This field is required.")
	}
	for _, w := range wanted {
		def := p.item(w.ref)
		if def == nil {
			return nil, invalid("asset: items: " + w.ref + ": This item does not exist in product " + p.id + ".")
		}
		if n, err := strconv.ParseFloat(w.quantity, 64); w.quantity != "unlimited" && (err != nil || !(n >= 0)) {
			return nil, invalid(`asset: items: ` + w.ref + `: "` + w.quantity + `" is not a valid quantity.`)
		}
		at := slices.IndexFunc(items, func(it item) bool { return it.def == def })
		if at < 0 {
			items = append(items, item{def: def, old: "0"})
			at = len(items) - 1
		}
		items[at].quantity = w.quantity
	}
	return items, nil
}

// orderedParams fills in what was ordered. What an earlier request was told to correct is forgotten.
func orderedParams(current []param, o *order) ([]param, *refusal) {
	params := slices.Clone(current)
	for i := range params {
		params[i].valueError, params[i].structuredError = "", nil
	}
	for id, change := range o.params {
		at := slices.IndexFunc(params, func(p param) bool { return p.def.id == id })
		if at < 0 {
			return nil, invalid("asset: params: " + id + ": This parameter does not exist.")
		}
		if refused := edit(&params[at], change); refused != nil {
			return nil, refused
		}
	}
	return params, nil
}

// postRequest is the distributor's own call, in the platform's form.
func (s *Server) postRequest(c *call) (reply, *refusal) {
	body, refused := c.object()
	if refused != nil {
		return reply{}, refused
	}
	o, refused := orderOf(body)
	if refused != nil {
		return reply{}, refused
	}
	r, refused := s.state.place(o)
	if refused != nil {
		return reply{}, refused
	}
	return rawReply(http.StatusCreated, (&query{}).request(nil, r)), nil
}

func orderOf(body map[string]any) (*order, *refusal) {
	inner, ok := body["asset"].(map[string]any)
	if !ok {
		return nil, invalid("asset: This field is required.")
	}
	o := &order{
		typ: textAt(body, "type"), draft: textAt(body, "status") == statusDraft, note: textAt(body, "note"),
		product: textAt(inner, "product.id"), asset: textAt(inner, "id"), params: map[string]map[string]any{},
		connection: textAt(inner, "connection.type"),
		externalID: textAt(inner, "external_id"), externalUID: textAt(inner, "external_uid"),
	}
	if tiers, ok := inner["tiers"].(map[string]any); ok && len(tiers) > 0 {
		o.tiers = mustJSON(tiers)
	}
	if id := textAt(inner, "connection.id"); id != "" && o.connection == "" {
		o.connection = connectionOf(id)
	}
	for _, list := range []string{"items", "params"} {
		elements, ok := inner[list].([]any)
		if inner[list] != nil && !ok {
			return nil, invalid("asset: " + list + ": Expected a list of items.")
		}
		for _, element := range elements {
			entry, ok := element.(map[string]any)
			if !ok {
				return nil, invalid("asset: " + list + ": Invalid data. Expected a dictionary.")
			}
			if list == "params" {
				o.params[textAt(entry, "id")] = entry
				continue
			}
			ref := textAt(entry, "id")
			if ref == "" {
				ref = textAt(entry, "mpn")
			}
			o.items = append(o.items, orderedItem{ref: ref, quantity: textAt(entry, "quantity")})
		}
	}
	o.extra = unknownFields(body)
	return o, nil
}

// unknownFields returns what the emulator has no meaning for, which is served back as it came.
func unknownFields(body map[string]any) map[string]any {
	var extra map[string]any
	for name, value := range body {
		switch name {
		case "type", "status", "asset", "note", "marketplace", "id", "reason", "created", "updated":
			continue
		}
		if extra == nil {
			extra = map[string]any{}
		}
		extra[name] = value
	}
	return extra
}

func connectionOf(id string) string {
	for _, typ := range []string{"preview", "test", "production"} {
		if where, ok := placeOf(typ); ok && where.connectionID == id {
			return typ
		}
	}
	return id
}
