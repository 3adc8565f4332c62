package emulator

import (
	"strings"
	"time"
)

// requestField knows the properties that requests can be filtered by, old spellings included.
func (s *state) requestField(name string) (field[*request], bool) {
	if inner, ok := strings.CutPrefix(name, "asset."); ok {
		return requestAssetField(inner)
	}
	switch name {
	case "id":
		return text(func(r *request) string { return r.id }), true
	case "type":
		return text(func(r *request) string { return r.typ }), true
	case "status":
		return sortable(func(r *request) string { return r.status }), true
	case "created", "events.created.at":
		return instant(func(r *request) string { return r.created }), true
	case "updated", "events.updated.at":
		return instant(func(r *request) string { return r.updated }), true
	case "assignee", "assignee.id":
		return text(func(r *request) string { return r.assigned().ID }), true
	case "assignee.email":
		return text(func(r *request) string { return r.assigned().Email }), true
	case "template.id":
		return text(func(r *request) string { return templateID(r.template) }), true
	case "product_id":
		return requestAssetField("product.id")
	case "asset_id":
		return requestAssetField("id")
	case "contract.id", "contract.id.exact":
		return requestAssetField("contract.id")
	case "marketplace.id":
		return requestAssetField("marketplace.id")
	case "marketplace.name":
		return requestAssetField("marketplace.name")
	case "sli.days":
		f := sortable(func(r *request) string { return sortableNumber(s.days(r)) })
		f.kind = numeric
		return f, true
	case "sli.zone":
		f := sortable(func(r *request) string { return sortableNumber(min(1+s.days(r), 7)) })
		f.kind = numeric
		return f, true
	}
	return field[*request]{}, false
}

// requestAssetField is what a request says of its asset: parameters are the request's own.
func requestAssetField(name string) (field[*request], bool) {
	switch name {
	case "params.id":
		return list(func(r *request) []string { return paramIDs(r.params) }), true
	case "params.value":
		return list(func(r *request) []string { return paramValues(r.params) }), true
	case "account_id":
		name = "tiers.customer.id"
	case "tier1_id":
		name = "tiers.tier1.id"
	case "tier2_id", "tiers.tier2":
		name = "tiers.tier2.id"
	case "external.id":
		name = "external_id"
	case "connection.environment":
		name = "connection.type"
	}
	f, ok := assetField(name)
	if !ok || f.one == nil {
		return field[*request]{}, false
	}
	ofAsset := f.one
	return field[*request]{one: func(r *request) string { return ofAsset(r.asset) }, kind: f.kind, sortable: f.sortable}, true
}

func assetField(name string) (field[*asset], bool) {
	switch name {
	case "id":
		return text(func(a *asset) string { return a.id }), true
	case "status":
		return sortable(func(a *asset) string { return a.status }), true
	case "external_id":
		return text(func(a *asset) string { return a.externalID }), true
	case "external_uid":
		return text(func(a *asset) string { return a.externalUID }), true
	case "created", "events.created.at":
		return instant(func(a *asset) string { return a.created }), true
	case "updated", "events.updated.at":
		return instant(func(a *asset) string { return a.updated }), true
	case "params.id":
		return list(func(a *asset) []string { return paramIDs(a.params) }), true
	case "params.value":
		return list(func(a *asset) []string { return paramValues(a.params) }), true
	case "template.id":
		return text(func(a *asset) string { return templateID(a.template) }), true
	case "product.id":
		return text(func(a *asset) string { return a.product.id }), true
	case "product.name", "product.title":
		return sortable(func(a *asset) string { return a.product.name }), true
	case "contract.id":
		return text(func(a *asset) string { return a.place.contractID }), true
	case "marketplace.id":
		return sortable(func(a *asset) string { return a.place.marketplaceID }), true
	case "marketplace.name":
		return sortable(func(*asset) string { return marketplaceName }), true
	}
	if inner, ok := strings.CutPrefix(name, "connection."); ok {
		return connectionField(inner)
	}
	if inner, ok := strings.CutPrefix(name, "tiers."); ok {
		return tierField(inner)
	}
	return field[*asset]{}, false
}

func connectionField(name string) (field[*asset], bool) {
	switch name {
	case "id":
		return text(func(a *asset) string { return a.place.connectionID }), true
	case "type":
		return text(func(a *asset) string { return a.place.connection }), true
	case "hub.id":
		return text(func(a *asset) string { return a.place.hubID }), true
	case "hub.name":
		return sortable(func(a *asset) string { return a.place.hubName }), true
	case "provider.id":
		return text(func(*asset) string { return providerID }), true
	case "vendor.id":
		return text(func(*asset) string { return vendorID }), true
	}
	return field[*asset]{}, false
}

// tierField reads tiers as they are served: the distributor's, or made up.
func tierField(name string) (field[*asset], bool) {
	switch name {
	case "customer.id", "customer.name", "customer.external_id", "customer.external_uid",
		"tier1.id", "tier2.id":
	default:
		return field[*asset]{}, false
	}
	return sortable(func(a *asset) string {
		switch {
		case a.tiers != nil:
			value, err := decode(a.tiers)
			tiers, ok := value.(map[string]any)
			if err != nil || !ok {
				return ""
			}
			return textAt(tiers, name)
		case name == "customer.id":
			return customerID(a)
		case name == "customer.name":
			return customerName(a)
		case name == "tier1.id":
			return resellerID
		}
		return ""
	}), true
}

func (r *request) assigned() user {
	if r.assignee == nil {
		return user{}
	}
	return *r.assignee
}

func templateID(t *template) string {
	if t == nil {
		return ""
	}
	return t.id
}

func paramIDs(params []param) []string {
	ids := make([]string, 0, len(params))
	for _, p := range params {
		ids = append(ids, p.def.id)
	}
	return ids
}

func paramValues(params []param) []string {
	values := make([]string, 0, len(params))
	for _, p := range params {
		values = append(values, p.value)
	}
	return values
}

// days is the whole days since a request was created: what the service level indicator counts.
func (s *state) days(r *request) float64 {
	created, ok := parseTime(r.created)
	if !ok {
		return 0
	}
	return float64(s.clock.now().Sub(created) / (24 * time.Hour))
}
