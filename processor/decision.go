package processor

import "time"

// A Decision is the answer for the customer. It is exactly one of [Approve],
// [Fail], [Inquire], [Schedule], [Wait] and [Skip].
//
//sumtype:decl
type Decision interface{ decision() }

// Params are values of the subscription's parameters by parameter ID, to be
// saved on Connect. A string becomes the parameter's value; so does a number,
// written in decimal, and nil empties it. Anything else becomes its structured
// value (phone, address, checkbox, object), as JSON. Only what differs from the
// request is sent.
type Params map[string]any

// Approve says that the order has been carried out.
type Approve struct {
	// Params are saved before the approval. Connect refuses to approve while
	// a required fulfillment parameter is empty.
	Params Params

	// Template is the activation template that the customer reads, by ID or
	// name. Defaults to the product's configured one (products[].template), or
	// else to the one named "Default Activation Template".
	Template string

	// EffectiveDate is when the change took effect. Defaults to now.
	EffectiveDate time.Time
}

// Fail refuses the order for good. There is no way back: an order that failed
// for a passing reason is a lost sale, so return an error for those.
type Fail struct {
	// Reason is read by the customer. It must not be empty.
	Reason string
}

// Inquire sends the order back to the customer, who must correct parameters.
type Inquire struct {
	// Problems names the parameters to correct: at least one.
	Problems []ParamError

	// Params are saved first.
	Params Params

	// Template is what the customer reads, by ID or name. Defaults to
	// Connect's own choice.
	Template string
}

// A ParamError says what is wrong with the value of one parameter.
type ParamError struct {
	ID      string // of the parameter
	Message string // for the customer, up to 512 characters
}

// Schedule promises that the order will be carried out on a date. Connect
// returns the request to pending then. The product needs the capability to
// schedule requests of this type.
type Schedule struct {
	For    time.Time // required
	Params Params    // saved first
}

// Wait says that the vendor's system is still at work: the handler is called
// again later. It spends no attempt. A request that is older than retry.max_wait
// (720h by default) is parked as too_old instead.
type Wait struct {
	// For is how long to wait. Less than a second becomes one; defaults to a
	// minute.
	For time.Duration

	// Note is for the operator: what is being waited for.
	Note string

	// Params are saved first, so that what the vendor's system already knows
	// survives anything that happens here.
	Params Params
}

// Skip says that the request is not ours to answer. It stays pending, and is
// looked at again when it changes on Connect.
type Skip struct {
	Reason string // for the operator
}

func (Approve) decision()  {}
func (Fail) decision()     {}
func (Inquire) decision()  {}
func (Schedule) decision() {}
func (Wait) decision()     {}
func (Skip) decision()     {}
