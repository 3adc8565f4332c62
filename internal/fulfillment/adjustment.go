package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// adjustment changes an active subscription's parameters on the vendor's own
// initiative.
func adjustment() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Adjustment })
}
