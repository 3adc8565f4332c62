package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
)

// AssetStatus says where a subscription stands.
type AssetStatus string

// The asset statuses.
const (
	AssetDraft       AssetStatus = "draft"
	AssetProcessing  AssetStatus = "processing"
	AssetActive      AssetStatus = "active"
	AssetTerminating AssetStatus = "terminating"
	AssetSuspended   AssetStatus = "suspended"
	AssetTerminated  AssetStatus = "terminated"
)

// Asset is a subscription: what a customer has bought of one product.
//
// https://connect.cloudblue.com/community/modules/subscriptions/
type Asset struct {
	ID          string
	Status      AssetStatus
	ExternalID  string
	ExternalUID string

	Product    Product
	Connection Connection
	Items      []Item
	Params     Params
	Tiers      Tiers

	Configuration Configuration

	Marketplace Ref
	Contract    Ref

	Raw json.RawMessage // the asset as it came
}

// Configuration holds the values that the vendor has set for the product or
// the marketplace rather than for one asset.
type Configuration struct{ Params Params }

// Connection is the way by which an order reached Connect.
type Connection struct {
	ID       string
	Type     string // production, test or preview
	Provider Ref    // the distributor
	Vendor   Ref
	Hub      Ref
}

// Tiers are the accounts along the chain of sale. A tier that an order does
// not have is zero.
type Tiers struct {
	Customer Account
	Tier1    Account // nearest to the customer
	Tier2    Account
}

// Account is a customer or reseller.
type Account struct {
	ID          string
	ExternalID  string
	ExternalUID string
	Type        string
	Name        string
	TaxID       string
	ContactInfo ContactInfo
}

// ContactInfo is where an account lives and whom to ask there.
type ContactInfo struct {
	AddressLine1, AddressLine2 string
	City, State, PostalCode    string
	Country                    string // ISO 3166 alpha-2
	FirstName, LastName        string
	Email                      string
	Phone                      Phone
}

// Phone is a telephone number in parts.
type Phone struct{ CountryCode, AreaCode, Number, Extension string }

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (a *Asset) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding an asset: %w", err)
	}
	*a = o.asset()
	a.Raw = append(json.RawMessage(nil), data...)
	return nil
}

func (o object) asset() Asset {
	connection := o.object("connection")
	tiers := o.object("tiers")
	return Asset{
		ID:          o.text("id"),
		Status:      AssetStatus(o.text("status")),
		ExternalID:  o.text("external_id"),
		ExternalUID: o.text("external_uid"),
		Product:     o.object("product").product(),
		Connection: Connection{
			ID: connection.text("id"), Type: connection.text("type"),
			Provider: connection.ref("provider"), Vendor: connection.ref("vendor"), Hub: connection.ref("hub"),
		},
		Items:  o.items("items"),
		Params: o.params("params"),
		Tiers: Tiers{
			Customer: tiers.object("customer").account(),
			Tier1:    tiers.object("tier1").account(),
			Tier2:    tiers.object("tier2").account(),
		},
		Configuration: Configuration{Params: o.object("configuration").params("params")},
		Marketplace:   o.ref("marketplace"),
		Contract:      o.ref("contract"),
	}
}

func (o object) account() Account {
	info := o.object("contact_info")
	contact := info.object("contact")
	phone := contact.object("phone_number")
	return Account{
		ID: o.text("id"), ExternalID: o.text("external_id"), ExternalUID: o.text("external_uid"),
		Type: o.text("type"), Name: o.text("name"), TaxID: o.text("tax_id"),
		ContactInfo: ContactInfo{
			AddressLine1: info.text("address_line1"), AddressLine2: info.text("address_line2"),
			City: info.text("city"), State: info.text("state"), PostalCode: info.text("postal_code"),
			Country:   info.text("country"),
			FirstName: contact.text("first_name"), LastName: contact.text("last_name"), Email: contact.text("email"),
			Phone: Phone{
				CountryCode: phone.text("country_code"), AreaCode: phone.text("area_code"),
				Number: phone.text("phone_number"), Extension: phone.text("extension"),
			},
		},
	}
}

// Asset reads a subscription.
func (c *Client) Asset(ctx context.Context, id string) (*Asset, error) {
	var a Asset
	if err := c.get(ctx, "reading asset "+id, "/assets/"+url.PathEscape(id), id, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// Assets lists subscriptions; see Requests for its errors.
func (c *Client) Assets(ctx context.Context, q Query) iter.Seq2[*Asset, error] {
	return list[Asset](ctx, c, "listing assets", "/assets", q)
}

// AssetRequests lists the requests of one subscription; see Requests for its
// errors.
func (c *Client) AssetRequests(ctx context.Context, assetID string) iter.Seq2[*Request, error] {
	return list[Request](ctx, c, "listing the requests of "+assetID, "/assets/"+url.PathEscape(assetID)+"/requests", Query{})
}
