package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// Product is what a vendor sells.
//
// https://connect.cloudblue.com/community/modules/products/
type Product struct {
	ID     string
	Name   string
	Status string

	Capabilities Capabilities

	Raw json.RawMessage // the product as it came, when it was read by itself
}

// Capabilities are what a product can do on Connect. They are known only of a
// product read by itself.
type Capabilities struct {
	// Hold is Administrative Hold: without it there are no suspend and resume
	// requests.
	Hold bool

	Raw json.RawMessage // all of them, nil when there are none
}

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (p *Product) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding a product: %w", err)
	}
	*p = o.product()
	p.Raw = append(json.RawMessage(nil), data...)
	return nil
}

func (o object) product() Product {
	return Product{
		ID: o.text("id"), Name: o.text("name"), Status: o.text("status"),
		Capabilities: Capabilities{
			Hold: o.object("capabilities").object("subscription").truth("hold"),
			Raw:  o.structured("capabilities"),
		},
	}
}

// Product reads a product.
func (c *Client) Product(ctx context.Context, id string) (*Product, error) {
	var p Product
	if err := c.get(ctx, "reading product "+id, "/products/"+url.PathEscape(id), id, &p); err != nil {
		return nil, err
	}
	return &p, nil
}
