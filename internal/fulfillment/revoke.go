package fulfillment

import (
	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// revoke undoes what was prepared for a scheduled request that the distributor
// has called back. Any type of request can be revoked; the approving answer is
// Connect's confirm, which needs no template.
func revoke() useCase {
	return useCase{
		awaits:   connect.StatusRevoking,
		handler:  func(v processor.Vendor) processor.Handler { return v.Revoke },
		approve:  (*answer).confirm,
		approved: connect.StatusRevoked,
	}
}
