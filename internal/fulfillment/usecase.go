package fulfillment

import (
	"context"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// A useCase is what is particular to one type of request.
type useCase struct {
	// awaits is the status in which the request waits for the vendor.
	awaits connect.RequestStatus

	// handler picks the vendor's handler, nil when it offers none.
	handler func(processor.Vendor) processor.Handler

	// approve carries an Approve decision to Connect; activates says that it
	// needs an activation template.
	approve   func(a *answer, ctx context.Context, d processor.Approve) error
	approved  connect.RequestStatus
	activates bool
}

// useCaseOf returns the use case that the request calls for, false when its
// type is not known.
func useCaseOf(r *connect.Request) (useCase, bool) {
	if r.Status == connect.StatusRevoking {
		return revoke(), true
	}
	return useCaseOfType(r.Type)
}

func useCaseOfType(typ connect.RequestType) (useCase, bool) {
	switch typ {
	case connect.TypePurchase:
		return purchase(), true
	case connect.TypeChange:
		return change(), true
	case connect.TypeCancel:
		return cancel(), true
	case connect.TypeSuspend:
		return suspend(), true
	case connect.TypeResume:
		return resume(), true
	case connect.TypeAdjustment:
		return adjustment(), true
	case connect.TypeRenew:
		return renew(), true
	case connect.TypeTransfer:
		return transfer(), true
	}
	none := func(processor.Vendor) processor.Handler { return nil }
	return pending(none), false
}

// Offers reports whether the vendor answers requests of that type and status.
func Offers(v processor.Vendor, typ connect.RequestType, status connect.RequestStatus) bool {
	use, known := useCaseOf(&connect.Request{Type: typ, Status: status})
	return known && use.handler(v) != nil
}

// pending is the use case of a request that ends approved with an activation
// template.
func pending(handler func(processor.Vendor) processor.Handler) useCase {
	return useCase{
		awaits:    connect.StatusPending,
		handler:   handler,
		approve:   (*answer).approve,
		approved:  connect.StatusApproved,
		activates: true,
	}
}
