package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// purchase orders a new subscription: approved, its asset becomes active; failed,
// terminated.
func purchase() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Purchase })
}
