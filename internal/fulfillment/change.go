package fulfillment

import "github.com/connect-processor/connect-processor/processor"

// change orders other quantities or items. All items of the asset are listed; a
// changed one has a quantity that differs from its old one, a removed one 0.
func change() useCase {
	return pending(func(v processor.Vendor) processor.Handler { return v.Change })
}
