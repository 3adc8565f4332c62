package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// transfer moves a subscription to another owner.
func transfer() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Transfer })
}
