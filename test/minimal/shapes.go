package minimal

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

type object map[string]any

// holder finds the object that has the last field of a dotted path, and the
// field's name; the object is nil where the path leads nowhere.
func (o object) holder(path string) (holder object, field string) {
	for {
		name, rest, nested := strings.Cut(path, ".")
		if !nested {
			return o, path
		}
		o, _ = o[name].(object)
		path = rest
	}
}

// text reads a string at a dotted path, "" where there is none.
func (o object) text(path string) string {
	holder, field := o.holder(path)
	text, _ := holder[field].(string)
	return text
}

func (o object) hide(path string) {
	holder, field := o.holder(path)
	delete(holder, field)
}

// empty sets a field that has nothing in it, in the form the options ask for.
func (s *Server) empty(o object, field string, otherwise any) {
	switch s.options.NullForm {
	case NullNull:
		o[field] = nil
	case NullString:
		o[field] = ""
	case NullObject:
		o[field] = object{}
	case NullAbsent:
	default:
		o[field] = otherwise
	}
}

func (s *Server) quantity(n int) any {
	switch {
	case n == Unlimited:
		return "unlimited"
	case s.options.QuantityForm == QuantityNumber:
		return n
	case s.options.QuantityForm == QuantityDecimal:
		return json.RawMessage(strconv.Itoa(n) + ".0")
	default:
		return strconv.Itoa(n)
	}
}

func (s *Server) requestJSON(r *request) object {
	o := object{
		"id": r.id, "type": r.kind, "status": r.status,
		"note": r.note, "reason": r.reason, "answered": false,
		"created": date(r.created), "updated": date(r.updated),
		"events":                    object{"created": object{"at": date(r.created)}, "updated": object{"at": date(r.updated)}},
		"previous_approved_request": nil,
		"activation_key":            r.tile,
		"params_form_url":           "",
		"asset":                     s.assetJSON(r),
		"marketplace":               object{"id": "MP-00000", "name": "Marketplace"},
		"contract":                  object{"id": "CRD-00000-00000-00000", "name": "None"},
	}
	s.empty(o, "planned_date", nil)
	s.empty(o, "assignee", nil)
	if r.handled {
		o["assignee"] = object{"id": "UR-100-200-300", "name": "Service", "email": "service@example.com"}
	}
	s.empty(o, "effective_date", nil)
	if r.effective != "" {
		o["effective_date"] = r.effective
	}
	s.empty(o, "template", object{"id": "TL-100-200-305", "name": "Pending"})
	if r.template.id != "" {
		o["template"] = object{"id": r.template.id, "name": r.template.name}
	}
	return o
}

func (s *Server) assetJSON(r *request) object {
	configuration := object{}
	s.empty(configuration, "params", []object{})
	items := []object{}
	for i, quantity := range r.quantities {
		old := 0
		if i < len(r.asset.quantities) {
			old = r.asset.quantities[i]
		}
		id := fmt.Sprintf("%s-%04d", ProductID, i+1)
		item := object{
			"id": id, "global_id": id, "mpn": fmt.Sprintf("MPN-%c", 'A'+i), "display_name": "Seat",
			"item_type": "Reservation", "type": "Units", "period": "Monthly",
			"quantity": s.quantity(quantity), "old_quantity": s.quantity(old),
		}
		s.empty(item, "params", []object{})
		items = append(items, item)
	}
	params := []object{}
	for id, p := range r.params {
		row := object{
			"id": id, "name": "subscription", "title": "Subscription", "description": "", "type": "text",
			"phase": "fulfillment", "scope": "asset",
			"constraints": object{"required": true, "hidden": false, "unique": true, "reconciliation": true, "meta": object{}},
		}
		for field, value := range map[string]string{"value": p.value, "value_error": p.fault} {
			if row[field] = value; value == "" {
				delete(row, field)
				s.empty(row, field, "")
			}
		}
		params = append(params, row)
	}
	o := object{
		"id": r.asset.id, "status": r.asset.status,
		"external_id": r.asset.number, "external_uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", r.asset.number),
		"product": object{"id": ProductID, "name": "Example", "status": "published", "icon": ""},
		"connection": object{
			"id": "CT-0000-0000-0000", "type": s.options.ConnectionType,
			"provider": object{"id": "PA-100", "name": "Distributor"}, "vendor": object{"id": "VA-100", "name": "Vendor"},
			"hub": object{"id": "HB-0000-0000", "name": "None"},
		},
		"items": items, "params": params, "configuration": configuration,
		"marketplace": object{"id": "MP-00000", "name": "Marketplace"},
		"contract":    object{"id": "CRD-00000-00000-00000", "name": "None"},
	}
	s.empty(o, "tiers", object{
		"customer": object{"id": "TA-1", "external_id": "1", "type": "customer", "name": "Customer"},
		"tier1":    object{"id": "TA-2", "external_id": "2", "type": "reseller", "name": "Reseller"},
		"tier2":    object{},
	})
	return o
}

// date writes a time as the platform does.
func date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }
