package emulator

import (
	"fmt"
	"net/http"
	"strings"
)

// A productSpec describes a product. Items, parameters and templates are documents as Connect serves them, of which
// only what matters need be given.
type productSpec struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Hold         bool             `json:"hold"`
	Capabilities map[string]any   `json:"capabilities"`
	Items        []map[string]any `json:"items"`
	Params       []map[string]any `json:"params"`
	Templates    []map[string]any `json:"templates"`
}

// exampleProduct is the product of the platform's own processor example, with a second item.
func exampleProduct() productSpec {
	return productSpec{
		ID: ProductID, Name: "Example product", Hold: true,
		Items: []map[string]any{
			{"mpn": "MPN-A", "name": "Item A"},
			{"mpn": "MPN-B", "name": "Item B"},
		},
		Params: []map[string]any{
			{"id": "admin_email", "title": "Administrator's e-mail", "type": "email", "phase": "ordering"},
			{
				"id": "subscription_id", "title": "Subscription ID", "phase": "fulfillment",
				"required": true, "unique": true, "reconciliation": true,
			},
		},
	}
}

func defaultTemplates() []map[string]any {
	return []map[string]any{
		{"name": "Default Activation Template", "type": "fulfillment", "body": "# Welcome\n\nYour subscription is active."},
		{"name": "Default Inquiring Template", "type": "inquire", "body": "Please correct the parameters marked."},
		{"name": "Default Pending Template", "type": "pending", "body": "Your order is being processed."},
		{"name": "Default Tier 1 Activation Template", "type": "fulfillment", "scope": "tier1", "body": "Tier 1 is set up."},
		{"name": "Default Tier 2 Activation Template", "type": "fulfillment", "scope": "tier2", "body": "Tier 2 is set up."},
	}
}

// controlProduct adds a product. What is not given is as in the example product, but for parameters: none.
func (s *Server) controlProduct(c *call) (reply, *refusal) {
	var spec productSpec
	if refused := c.into(&spec); refused != nil {
		return reply{}, refused
	}
	if spec.ID == "" {
		spec.ID = fmt.Sprintf("PRD-100-200-%03d", 300+len(s.state.products))
	}
	if s.state.productByID[spec.ID] != nil {
		return reply{}, invalid("id: Product " + spec.ID + " exists already.")
	}
	p := s.state.addProduct(spec)
	return jsonReply(http.StatusCreated, p.doc), nil
}

func (s *state) addProduct(spec productSpec) *product {
	if spec.Name == "" {
		spec.Name = "Product " + spec.ID
	}
	if spec.Items == nil {
		spec.Items = exampleProduct().Items
	}
	if spec.Templates == nil {
		spec.Templates = defaultTemplates()
	}
	p := &product{id: spec.ID, name: spec.Name}
	capabilities := capabilitiesOf(spec)
	p.hold = textAt(capabilities, "subscription.hold") == "true"
	p.editable = textAt(capabilities, "inquiring.validation") == "true"
	p.schedules = map[string]bool{}
	for _, typ := range allTypes() {
		p.schedules[typ] = textAt(capabilities, "subscription."+typ+".scheduling") == "true"
	}
	p.doc = map[string]any{
		"id": p.id, "name": p.name, "status": "published", "version": 1, "latest": true, "icon": productIcon,
		"owner": map[string]any{"id": vendorID, "name": "Emulated vendor"}, "capabilities": capabilities,
	}
	brief := map[string]any{"id": p.id, "name": p.name, "status": "published", "icon": productIcon}
	p.brief = mustJSON(brief)
	brief["capabilities"] = capabilities
	p.briefWhole = mustJSON(brief)
	for i, doc := range spec.Items {
		p.items = append(p.items, newItem(p.id, i+1, doc))
	}
	for i, doc := range spec.Params {
		p.params = append(p.params, newParam(i+1, doc))
	}
	for i, doc := range spec.Templates {
		s.templates++
		p.templates = append(p.templates, newTemplate(s.templates, i+1, s.clock.stamp(), doc))
	}
	s.products = append(s.products, p)
	s.productByID[p.id] = p
	return p
}

// capabilitiesOf offers scheduling of the types that can have it, unless the product says otherwise.
func capabilitiesOf(spec productSpec) map[string]any {
	subscription := map[string]any{"hold": spec.Hold, "schema": "explicit"}
	for _, typ := range []string{typePurchase, typeChange, typeSuspend, typeResume, typeCancel} {
		subscription[typ] = map[string]any{"scheduling": true}
	}
	capabilities := map[string]any{
		"ppu": nil, "reservation": map[string]any{"consumption": false}, "cart": map[string]any{"validation": false},
		"inquiring": map[string]any{"validation": false}, "subscription": subscription,
	}
	mergePatch(capabilities, spec.Capabilities)
	return capabilities
}

func newItem(productID string, position int, doc map[string]any) *itemDef {
	fill(doc, map[string]any{
		"id": fmt.Sprintf("%s-%04d", productID, position), "mpn": fmt.Sprintf("MPN-%d", position), "type": "Reservation",
		"period": "Monthly", "status": "published", "position": position, "dynamic": false, "precision": "integer",
		"unit": map[string]any{"id": "UN-000-000", "title": "Units", "unit": "unit"},
	})
	mpn := textAt(doc, "mpn")
	fill(doc, map[string]any{"name": mpn, "item_type": doc["type"], "local_id": mpn})
	fill(doc, map[string]any{"display_name": doc["name"]})
	def := &itemDef{id: textAt(doc, "id"), mpn: mpn, doc: doc}
	unit := textAt(doc, "unit.title")
	def.fields = fieldsOf(map[string]any{
		"id": def.id, "global_id": def.id, "mpn": def.mpn, "display_name": doc["display_name"],
		"item_type": doc["item_type"], "type": unit, "period": doc["period"],
	})
	return def
}

// newParam accepts the constraints beside the other fields, too: {"id":"x","required":true}.
func newParam(position int, doc map[string]any) *paramDef {
	constraints, ok := doc["constraints"].(map[string]any)
	if !ok {
		constraints = map[string]any{}
	}
	for _, name := range []string{"required", "hidden", "unique", "reconciliation", "readonly"} {
		if value, ok := doc[name]; ok {
			constraints[name] = value
			delete(doc, name)
		}
	}
	fill(constraints, map[string]any{
		"required": false, "hidden": false, "unique": false, "reconciliation": false, "meta": map[string]any{},
	})
	doc["constraints"] = constraints
	fill(doc, map[string]any{
		"id": fmt.Sprintf("param_%d", position), "type": "text", "phase": "ordering", "scope": "asset", "description": "",
		"position": position,
	})
	fill(doc, map[string]any{"name": doc["id"], "title": doc["id"]})
	def := &paramDef{
		id: textAt(doc, "id"), phase: textAt(doc, "phase"), scope: textAt(doc, "scope"), doc: doc,
		required: constraints["required"] == true, unique: constraints["unique"] == true,
	}
	def.fields = fieldsOf(map[string]any{
		"id": def.id, "name": doc["name"], "title": doc["title"], "description": doc["description"], "type": doc["type"],
		"phase": def.phase, "scope": def.scope, "constraints": constraints,
	})
	return def
}

func newTemplate(number, position int, created string, doc map[string]any) *template {
	fill(doc, map[string]any{
		"id": fmt.Sprintf("TL-100-200-%03d", number), "scope": "asset", "type": nil, "body": "", "position": position,
		"name":   fmt.Sprintf("Template %d", number),
		"events": map[string]any{"created": map[string]any{"at": created}},
	})
	fill(doc, map[string]any{"title": doc["name"]})
	return &template{
		id: textAt(doc, "id"), name: textAt(doc, "name"), scope: textAt(doc, "scope"), body: textAt(doc, "body"), doc: doc,
	}
}

// fill sets what a document lacks.
func fill(doc, defaults map[string]any) {
	for name, value := range defaults {
		if _, ok := doc[name]; !ok {
			doc[name] = value
		}
	}
}

// fieldsOf encodes an object without its braces, for others to add to.
func fieldsOf(doc map[string]any) []byte {
	return []byte(strings.TrimSuffix(strings.TrimPrefix(string(mustJSON(doc)), "{"), "}"))
}
