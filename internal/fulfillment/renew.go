package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// renew starts another term of a subscription.
func renew() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Renew })
}
