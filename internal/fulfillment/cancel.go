package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// cancel ends a subscription: the asset is terminating meanwhile, terminated once
// approved, active again when failed.
func cancel() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Cancel })
}
