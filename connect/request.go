package connect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// RequestType says what a fulfillment request orders.
type RequestType string

// The request types.
const (
	TypePurchase   RequestType = "purchase"
	TypeChange     RequestType = "change"
	TypeCancel     RequestType = "cancel"
	TypeSuspend    RequestType = "suspend"
	TypeResume     RequestType = "resume"
	TypeAdjustment RequestType = "adjustment"
	TypeRenew      RequestType = "renew"
	TypeTransfer   RequestType = "transfer"
)

// RequestTypes returns every request type.
func RequestTypes() []RequestType {
	return []RequestType{
		TypePurchase, TypeChange, TypeCancel, TypeSuspend, TypeResume, TypeAdjustment, TypeRenew, TypeTransfer,
	}
}

// RequestStatus says where a fulfillment request stands.
type RequestStatus string

// The request statuses. Vendors answer pending and revoking requests.
const (
	StatusDraft      RequestStatus = "draft"       // being typed
	StatusTiersSetup RequestStatus = "tiers_setup" // waits for tier configurations
	StatusPending    RequestStatus = "pending"     // waits for the vendor
	StatusInquiring  RequestStatus = "inquiring"   // waits for the customer
	StatusApproved   RequestStatus = "approved"
	StatusFailed     RequestStatus = "failed"
	StatusScheduled  RequestStatus = "scheduled" // waits for its planned date
	StatusRevoking   RequestStatus = "revoking"  // was scheduled, and is called back
	StatusRevoked    RequestStatus = "revoked"
)

// Timestamp is a point in time as Connect wrote it. Two equal ones are the same
// version of an object; for anything else there is Time.
type Timestamp string

// Time parses t; false when it is empty or no timestamp.
func (t Timestamp) Time() (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, string(t)); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Request is a fulfillment request: an order on one subscription.
//
// Decoding is lenient: whatever is missing, null or of another type than
// expected is left zero. Raw has it all.
//
// https://connect.cloudblue.com/community/modules/subscriptions/fulfillment-requests/
type Request struct {
	ID     string
	Type   RequestType
	Status RequestStatus

	Asset Asset

	Note   string // free text
	Reason string // of a failed or revoked request

	Created       Timestamp
	Updated       Timestamp // changes with every change of the request
	EffectiveDate Timestamp
	PlannedDate   Timestamp // of a scheduled request

	Template         Ref
	Assignee         Ref // the ID alone where Connect gives no more
	Marketplace      Ref
	Contract         Ref
	PreviousApproved string // ID of the request that was approved before this one
	ParamsFormURL    string // the customer's form while inquiring

	Raw json.RawMessage // the request as it came
}

// Param returns the value of the asset's parameter, "" when there is none.
func (r *Request) Param(id string) string { return r.Asset.Params.Value(id) }

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (r *Request) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding a request: %w", err)
	}
	events := o.object("events")
	*r = Request{
		ID:               o.text("id"),
		Type:             RequestType(o.text("type")),
		Status:           RequestStatus(o.text("status")),
		Note:             o.text("note"),
		Reason:           o.text("reason"),
		Created:          Timestamp(cmp.Or(o.text("created"), events.object("created").text("at"))),
		Updated:          Timestamp(cmp.Or(o.text("updated"), events.object("updated").text("at"))),
		EffectiveDate:    Timestamp(o.text("effective_date")),
		PlannedDate:      Timestamp(o.text("planned_date")),
		Template:         o.ref("template"),
		Assignee:         o.ref("assignee"),
		Marketplace:      o.ref("marketplace"),
		Contract:         o.ref("contract"),
		PreviousApproved: o.ref("previous_approved_request").ID,
		ParamsFormURL:    o.text("params_form_url"),
		Asset:            o.object("asset").asset(),
		Raw:              append(json.RawMessage(nil), data...),
	}
	return nil
}

// Ref names another object.
type Ref struct{ ID, Name string }
