package connect

import "encoding/json"

// Phase says when a parameter gets its value.
type Phase string

// The phases.
const (
	PhaseOrdering      Phase = "ordering"    // from the customer
	PhaseFulfillment   Phase = "fulfillment" // from the vendor
	PhaseConfiguration Phase = "configuration"
)

// Param is a parameter with its value. It is addressed by ID.
//
// https://connect.cloudblue.com/community/modules/products/parameters/
type Param struct {
	ID          string
	Name        string // usually, but not always, the ID
	Title       string
	Description string
	Type        string // text, dropdown, email, phone, address, object, …
	Phase       Phase
	Scope       string // asset, tier1, tier2

	Value           string
	StructuredValue json.RawMessage // phone, address, checkbox and object types; nil when empty
	ValueError      string          // what the customer must correct

	Constraints Constraints
}

// Constraints are what a parameter's value must keep to.
type Constraints struct {
	Required       bool
	Hidden         bool
	ReadOnly       bool
	Unique         bool // among all assets of the product
	Reconciliation bool // identifies the asset in usage files
}

// Empty reports whether the parameter has no value of either kind.
func (p Param) Empty() bool { return p.Value == "" && len(p.StructuredValue) == 0 }

// Params are the parameters of one object.
type Params []Param

// Get returns the parameter of that ID.
func (p Params) Get(id string) (Param, bool) {
	for _, param := range p {
		if param.ID == id {
			return param, true
		}
	}
	return Param{}, false
}

// Value returns the value of the parameter of that ID, "" when there is none.
func (p Params) Value(id string) string {
	param, _ := p.Get(id)
	return param.Value
}

// ParamUpdate changes a parameter. What is nil is not sent, and stays.
type ParamUpdate struct {
	ID              string
	Value           *string
	StructuredValue json.RawMessage
	ValueError      *string // "" clears it; up to 512 characters
}

// MarshalJSON implements json.Marshaler.
func (u ParamUpdate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID              string          `json:"id"`
		Value           *string         `json:"value,omitempty"`
		StructuredValue json.RawMessage `json:"structured_value,omitempty"`
		ValueError      *string         `json:"value_error,omitempty"`
	}(u))
}

func (o object) params(key string) Params {
	var params Params
	for _, p := range o.list(key) {
		constraints := p.object("constraints")
		params = append(params, Param{
			ID: p.text("id"), Name: p.text("name"), Title: p.text("title"), Description: p.text("description"),
			Type: p.text("type"), Phase: Phase(p.text("phase")), Scope: p.text("scope"),
			Value: p.text("value"), StructuredValue: p.structured("structured_value"), ValueError: p.text("value_error"),
			Constraints: Constraints{
				Required: constraints.truth("required"), Hidden: constraints.truth("hidden"),
				ReadOnly: constraints.truth("readonly"), Unique: constraints.truth("unique"),
				Reconciliation: constraints.truth("reconciliation"),
			},
		})
	}
	return params
}
