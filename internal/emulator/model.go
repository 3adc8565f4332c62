package emulator

import (
	"encoding/json"
	"slices"
)

const (
	statusDraft     = "draft"
	statusPending   = "pending"
	statusInquiring = "inquiring"
	statusApproved  = "approved"
	statusFailed    = "failed"
	statusScheduled = "scheduled"
	statusRevoking  = "revoking"
	statusRevoked   = "revoked"

	assetDraft       = "draft"
	assetProcessing  = "processing"
	assetActive      = "active"
	assetSuspended   = "suspended"
	assetTerminating = "terminating"
	assetTerminated  = "terminated"

	typePurchase   = "purchase"
	typeChange     = "change"
	typeSuspend    = "suspend"
	typeResume     = "resume"
	typeCancel     = "cancel"
	typeAdjustment = "adjustment"
	typeRenew      = "renew"
	typeTransfer   = "transfer"
)

// A request is a fulfillment request. Items and params are its own: they become the asset's when it is approved.
type request struct {
	seq    int
	id     string
	typ    string
	status string
	asset  *asset
	items  []item
	params []param

	note, reason, activationKey, formURL string
	created, updated                     string
	effective, planned                   string
	previous                             string // the asset's last approved request, when this one was made
	assetBefore                          string // the status that the asset falls back to
	answered                             bool
	template                             *template
	assignee                             *user

	talk    conversation
	patch   map[string]any // merged over the document served
	removed []string       // paths taken out of it
	raw     string         // served instead of the document
}

func (r *request) ended() bool {
	return r.status == statusApproved || r.status == statusFailed || r.status == statusRevoked
}

// An asset is a subscription: what its approved requests have made of it.
type asset struct {
	number      int
	id          string
	status      string
	externalID  string
	externalUID string
	created     string
	updated     string
	product     *product
	place       *place
	items       []item
	params      []param
	tiers       json.RawMessage // as the distributor sent them; nil: made up from the number
	template    *template
	requests    []*request
	approved    string
}

func (a *asset) open() *request {
	for _, r := range slices.Backward(a.requests) {
		if !r.ended() {
			return r
		}
	}
	return nil
}

// An item is a product's item in a quantity, which the platform writes as text: "10", "2.5", "unlimited".
type item struct {
	def      *itemDef
	quantity string
	old      string
}

// A param is a product's parameter with what was filled in.
type param struct {
	def             *paramDef
	value           string
	valueError      string
	structuredValue json.RawMessage
	structuredError json.RawMessage
}

func (p param) empty() bool { return p.value == "" && len(p.structuredValue) == 0 }

func (p param) wrong() bool { return p.valueError != "" || len(p.structuredError) > 0 }

// A user is who a request is assigned to.
type user struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// A place is where an asset was bought: one per connection type.
type place struct {
	connection, connectionID string
	hubID, hubName           string
	marketplaceID            string
	contractID               string
}

const (
	providerID      = "PA-000-000"
	vendorID        = "VA-000-000"
	marketplaceName = "Emulated marketplace"
	productIcon     = "/media/emulator.png"
)

func placeOf(connection string) (*place, bool) {
	switch connection {
	case "", "preview":
		return &place{
			connection: "preview", connectionID: "CT-0000-0000-0000", hubID: "HB-0000-0000", hubName: "None",
			marketplaceID: "MP-00000", contractID: "CRD-00000-00000-00000",
		}, true
	case "test":
		return &place{
			connection: "test", connectionID: "CT-1000-0000-0001", hubID: "HB-1000-0001", hubName: "Test hub",
			marketplaceID: "MP-10001", contractID: "CRD-10000-00000-00001",
		}, true
	case "production":
		return &place{
			connection: "production", connectionID: "CT-2000-0000-0002", hubID: "HB-2000-0002", hubName: "Production hub",
			marketplaceID: "MP-20002", contractID: "CRD-20000-00000-00002",
		}, true
	}
	return nil, false
}
