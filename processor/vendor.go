package processor

import "context"

// A Handler carries out one request in the vendor's system and returns the
// answer for the customer, or an error, which is news for the operator: the
// request is tried again, or parked when the error is [Permanent].
//
// It must stop soon after ctx ends, which is 30 s before worker.task_timeout
// (5m by default) has passed, when the processor stops, or when another process
// takes the request over. It may be called again for a request that it has
// already carried out in whole or in part (see [Once]). Returning neither a
// decision nor an error is a defect, and parks the request.
type Handler func(ctx context.Context, t *Task) (Decision, error)

// A Vendor is what a software vendor's system can do, one handler for each
// type of fulfillment request.
//
// A nil field means that the vendor does not offer it: such requests stay
// pending on Connect, are counted and named in the log, and are never approved
// by default.
//
// Request types: https://connect.cloudblue.com/community/modules/subscriptions/fulfillment-requests/
type Vendor struct {
	Purchase   Handler // a new subscription
	Change     Handler // other quantities or items in an active one
	Cancel     Handler // the end of a subscription
	Suspend    Handler // a pause; needs the product's Administrative Hold capability
	Resume     Handler // the end of a pause
	Adjustment Handler // changed parameters, asked for by the vendor itself
	Renew      Handler // another term
	Transfer   Handler // a change of hands

	// Revoke undoes what was prepared for a scheduled request that the
	// distributor has called back. Its Approve decision confirms the
	// revocation on Connect.
	Revoke Handler
}

// Or returns v with its nil fields filled from fallback: a handler written in
// Go overrides one operation, and the rest stays as configured.
func (v Vendor) Or(fallback Vendor) Vendor {
	fill := func(h *Handler, other Handler) {
		if *h == nil {
			*h = other
		}
	}
	fill(&v.Purchase, fallback.Purchase)
	fill(&v.Change, fallback.Change)
	fill(&v.Cancel, fallback.Cancel)
	fill(&v.Suspend, fallback.Suspend)
	fill(&v.Resume, fallback.Resume)
	fill(&v.Adjustment, fallback.Adjustment)
	fill(&v.Renew, fallback.Renew)
	fill(&v.Transfer, fallback.Transfer)
	fill(&v.Revoke, fallback.Revoke)
	return v
}
