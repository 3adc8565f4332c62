package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// TemplateScope says what a template is about.
type TemplateScope string

// The template scopes.
const (
	ScopeAsset TemplateScope = "asset"
	ScopeTier1 TemplateScope = "tier1"
	ScopeTier2 TemplateScope = "tier2"
)

// TemplateType says when a template is shown.
type TemplateType string

// The template types.
const (
	TemplateFulfillment TemplateType = "fulfillment" // once approved
	TemplateInquire     TemplateType = "inquire"     // while inquiring
	TemplatePending     TemplateType = "pending"
)

// Template is a text that the customer reads.
type Template struct {
	ID    string
	Name  string
	Title string
	Scope TemplateScope
	Type  TemplateType
}

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (t *Template) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding a template: %w", err)
	}
	*t = Template{
		ID: o.text("id"), Name: o.text("name"), Title: o.text("title"),
		Scope: TemplateScope(o.text("scope")), Type: TemplateType(o.text("type")),
	}
	return nil
}

var _ json.Unmarshaler = (*Template)(nil)

// Templates returns the product's templates of that scope and type. Connect
// filters by nothing else; names are matched by TemplateCache. Templates
// without a type are returned only when none has the right one.
func (c *Client) Templates(ctx context.Context, productID string, scope TemplateScope, typ TemplateType) ([]Template, error) {
	q := Query{Filter: And(Eq("scope", string(scope)), Eq("type", string(typ)))}
	var templates, untyped []Template
	for t, err := range list[Template](ctx, c, "listing templates of "+productID, "/products/"+url.PathEscape(productID)+"/templates", q) {
		if _, unreadable := errors.AsType[*DecodeError](err); unreadable {
			continue // one bad template does not hide the others
		}
		if err != nil {
			return nil, err
		}
		switch { // some servers ignore the filter
		case t.Scope != scope:
		case t.Type == typ:
			templates = append(templates, *t)
		case t.Type == "":
			untyped = append(untyped, *t)
		}
	}
	if len(templates) == 0 {
		return untyped, nil
	}
	return templates, nil
}
