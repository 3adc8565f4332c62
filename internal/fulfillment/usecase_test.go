package fulfillment_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

func TestEachTypeHasItsHandler(t *testing.T) {
	offer := func(set func(v *processor.Vendor, h processor.Handler)) func(processor.Handler) processor.Vendor {
		return func(h processor.Handler) (v processor.Vendor) {
			set(&v, h)
			return v
		}
	}
	handlers := map[connect.RequestType]func(processor.Handler) processor.Vendor{
		connect.TypePurchase:   offer(func(v *processor.Vendor, h processor.Handler) { v.Purchase = h }),
		connect.TypeChange:     offer(func(v *processor.Vendor, h processor.Handler) { v.Change = h }),
		connect.TypeCancel:     offer(func(v *processor.Vendor, h processor.Handler) { v.Cancel = h }),
		connect.TypeSuspend:    offer(func(v *processor.Vendor, h processor.Handler) { v.Suspend = h }),
		connect.TypeResume:     offer(func(v *processor.Vendor, h processor.Handler) { v.Resume = h }),
		connect.TypeAdjustment: offer(func(v *processor.Vendor, h processor.Handler) { v.Adjustment = h }),
		connect.TypeRenew:      offer(func(v *processor.Vendor, h processor.Handler) { v.Renew = h }),
		connect.TypeTransfer:   offer(func(v *processor.Vendor, h processor.Handler) { v.Transfer = h }),
	}
	for _, typ := range connect.RequestTypes() {
		t.Run(string(typ), func(t *testing.T) {
			set, ok := handlers[typ]
			if !ok {
				t.Fatal("no handler is known to the test")
			}
			p := newPlatform()
			p.Type = string(typ)
			vendor := set(provisioned())
			result := newEngine(t, p, fulfillment.Product{Vendor: vendor}).
				Process(t.Context(), fulfillment.Attempt{Request: "PR-1", Number: 1, Steps: &steps{}})
			checkOutcome(t, result, fulfillment.Approved, "")
			for _, other := range connect.RequestTypes() {
				if offers := fulfillment.Offers(vendor, other, connect.StatusPending); offers != (other == typ) {
					t.Errorf("a vendor with a handler for %s offers %s: %v", typ, other, offers)
				}
			}
		})
	}
}

func TestRevokingRequestIsConfirmed(t *testing.T) {
	p := newPlatform()
	p.Status, p.Templates = "revoking", nil // a confirmation needs no template
	var vendor processor.Vendor
	vendor.Revoke = everything(p, decide(processor.Approve{})).Revoke
	result := newEngine(t, p, fulfillment.Product{Vendor: vendor}).
		Process(t.Context(), fulfillment.Attempt{Request: "PR-1", Number: 1, Steps: &steps{}})
	checkOutcome(t, result, fulfillment.Approved, "")
	checkCalls(t, p, readsRequest, asksVendor, "POST /requests/PR-1/confirm")
	if !fulfillment.Offers(vendor, connect.TypeChange, connect.StatusRevoking) {
		t.Error("a vendor with Revoke does not offer to revoke a change")
	}
}

func TestWhatIsNotOfferedStaysPending(t *testing.T) {
	p := newPlatform()
	noPurchase := everything(p, provisioned())
	noPurchase.Purchase = nil
	onlyPurchase := processor.Vendor{Purchase: noPurchase.Change}
	for name, c := range map[string]struct {
		vendor       processor.Vendor
		typ, pending string
	}{
		"no handler":              {noPurchase, "purchase", "pending"},
		"an unknown type":         {everything(p, provisioned()), "migration", "pending"},
		"no handler for revoking": {onlyPurchase, "purchase", "revoking"},
	} {
		t.Run(name, func(t *testing.T) {
			p.Calls, p.Type, p.Status = nil, c.typ, c.pending
			result := newEngine(t, p, fulfillment.Product{Vendor: c.vendor}).
				Process(t.Context(), fulfillment.Attempt{Request: "PR-1", Number: 1, Steps: &steps{}})
			checkOutcome(t, result, fulfillment.NotOffered, "")
			checkCalls(t, p, readsRequest)
			if fulfillment.Offers(c.vendor, connect.RequestType(c.typ), connect.RequestStatus(c.pending)) {
				t.Error("it is offered all the same")
			}
		})
	}
}

func TestWhatWaitsForSomebodyElseIsLeftAlone(t *testing.T) {
	for _, status := range []string{"draft", "tiers_setup", "inquiring", "approved", "failed", "scheduled", "revoked", ""} {
		t.Run(status, func(t *testing.T) {
			p := newPlatform()
			p.Status = status
			checkOutcome(t, process(t, p, provisioned()), fulfillment.NothingToDo, "")
			checkCalls(t, p, readsRequest)
		})
	}
}

func TestTheTaskIsWhatConnectSays(t *testing.T) {
	p := newPlatform()
	memory := &steps{}
	engine := newEngine(t, p, fulfillment.Product{Vendor: everything(p, func(ctx context.Context, task *processor.Task) (processor.Decision, error) {
		got := []string{task.Request.ID, task.Request.Asset.ID, task.Request.Param("domain"), task.Key("create")}
		if diff := cmp.Diff([]string{"PR-1", "AS-1", "example.com", "PR-1:create"}, got); diff != "" {
			t.Errorf("task (-want +got):\n%s", diff)
		}
		if task.Attempt != 3 || task.Steps != memory || task.Log == nil {
			t.Errorf("attempt %d, steps %v, log %v", task.Attempt, task.Steps, task.Log)
		}
		_, err := task.Connect.Request(ctx, "PR-1")
		return processor.Skip{}, err
	})})
	result := engine.Process(t.Context(), fulfillment.Attempt{Request: "PR-1", Number: 3, Steps: memory})
	checkOutcome(t, result, fulfillment.Skipped, "")
}
