package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// suspend pauses a subscription. Only products with the Administrative Hold
// capability get such requests.
func suspend() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Suspend })
}
