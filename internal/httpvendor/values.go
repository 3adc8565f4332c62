package httpvendor

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/connect-processor/connect-processor/connect"
)

// A value is what a placeholder stands for.
type value struct {
	text string // within a longer text; "" when it has no such form
	json any    // as a whole value of a body; nil when there is none
}

func textValue(s string) value {
	if s == "" {
		return value{}
	}
	return value{text: s, json: s}
}

// values are what the placeholders of one request stand for.
type values struct {
	request *connect.Request
	saved   map[string]json.RawMessage // by parameter ID, from answers of earlier calls
}

// param returns a parameter's value: the one just saved, else the request's.
// Numbers are text, as they are once Connect has stored them.
func (v values) param(id string) value {
	raw, saved := v.saved[id]
	if !saved {
		param, _ := v.request.Asset.Params.Get(id)
		if param.Value != "" || len(param.StructuredValue) == 0 {
			return textValue(param.Value)
		}
		raw = param.StructuredValue
	}
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return textValue(s)
	case raw[0] == '{' || raw[0] == '[':
		return value{json: raw}
	default:
		return textValue(string(raw))
	}
}

// A field reads the value that a placeholder names.
type field func(values) value

var itemName = regexp.MustCompile(`^items\.(0|[1-9][0-9]{0,2})\.([a-z_]+)$`)

// fieldOf returns what reads the named value, false when there is no such
// name.
func fieldOf(name string) (field, bool) {
	if id, ok := strings.CutPrefix(name, "params."); ok && id != "" {
		return func(v values) value { return v.param(id) }, true
	}
	if match := itemName.FindStringSubmatch(name); match != nil {
		index, err := strconv.Atoi(match[1])
		read, known := itemFields()[match[2]]
		return func(v values) value {
			if index >= len(v.request.Asset.Items) {
				return value{}
			}
			return read(v.request.Asset.Items[index])
		}, known && err == nil
	}
	read, known := requestFields()[name]
	return func(v values) value { return textValue(read(v.request)) }, known
}

// requestFields are the placeholders besides parameters and items.
func requestFields() map[string]func(*connect.Request) string {
	return map[string]func(*connect.Request) string{
		"request.id":           func(r *connect.Request) string { return r.ID },
		"request.type":         func(r *connect.Request) string { return string(r.Type) },
		"asset.id":             func(r *connect.Request) string { return r.Asset.ID },
		"asset.external_id":    func(r *connect.Request) string { return r.Asset.ExternalID },
		"product.id":           func(r *connect.Request) string { return r.Asset.Product.ID },
		"marketplace.id":       func(r *connect.Request) string { return r.Marketplace.ID },
		"customer.id":          func(r *connect.Request) string { return r.Asset.Tiers.Customer.ID },
		"customer.external_id": func(r *connect.Request) string { return r.Asset.Tiers.Customer.ExternalID },
		"customer.name":        func(r *connect.Request) string { return r.Asset.Tiers.Customer.Name },
	}
}

// itemFields are the placeholders of the form items.N.<field>.
func itemFields() map[string]func(connect.Item) value {
	return map[string]func(connect.Item) value{
		"id":           func(i connect.Item) value { return textValue(i.ID) },
		"mpn":          func(i connect.Item) value { return textValue(i.MPN) },
		"name":         func(i connect.Item) value { return textValue(i.Name) },
		"quantity":     func(i connect.Item) value { return quantityValue(i.Quantity) },
		"old_quantity": func(i connect.Item) value { return quantityValue(i.OldQuantity) },
	}
}

func quantityValue(q connect.Quantity) value {
	if q == "" {
		return value{}
	}
	return value{text: string(q), json: q}
}
