package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// resume ends the pause of a suspended subscription.
func resume() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Resume })
}
