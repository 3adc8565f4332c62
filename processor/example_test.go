package processor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// order returns a task as the processor would hand it to a handler.
func order(document string) *processor.Task {
	request := &connect.Request{}
	if err := json.Unmarshal([]byte(document), request); err != nil {
		panic(err)
	}
	return &processor.Task{Request: request, Attempt: 1}
}

func ExampleApprove() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		return processor.Approve{Params: processor.Params{
			"tenant_id": "t-42",
			"seats":     25, // saved as the text "25"
			"contact":   map[string]string{"email": "admin@" + t.Request.Param("domain")},
		}}, nil
	}}
	task := order(`{"id":"PR-1","asset":{"params":[{"id":"domain","value":"example.com"}]}}`)
	decision, err := vendor.Purchase(context.Background(), task)
	fmt.Printf("%T %+v %v\n", decision, decision, err)
	// Output: processor.Approve {Params:map[contact:map[email:admin@example.com] seats:25 tenant_id:t-42] Template: EffectiveDate:0001-01-01 00:00:00 +0000 UTC} <nil>
}

func ExampleFail() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		if country := t.Request.Asset.Tiers.Customer.ContactInfo.Country; country != "ES" {
			return processor.Fail{Reason: "We do not sell in " + country + "."}, nil
		}
		return processor.Approve{}, nil
	}}
	task := order(`{"id":"PR-1","asset":{"tiers":{"customer":{"contact_info":{"country":"AQ"}}}}}`)
	decision, _ := vendor.Purchase(context.Background(), task)
	fmt.Printf("%T %+v\n", decision, decision)
	// Output: processor.Fail {Reason:We do not sell in AQ.}
}

func ExampleInquire() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		if t.Request.Param("domain") == "" {
			return processor.Inquire{Problems: []processor.ParamError{
				{ID: "domain", Message: "Which domain is it for?"},
			}}, nil
		}
		return processor.Approve{}, nil
	}}
	decision, _ := vendor.Purchase(context.Background(), order(`{"id":"PR-1"}`))
	fmt.Printf("%T %+v\n", decision, decision)
	// Output: processor.Inquire {Problems:[{ID:domain Message:Which domain is it for?}] Params:map[] Template:}
}

func ExampleSchedule() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		created, ok := t.Request.Created.Time()
		if !ok {
			return nil, errors.New("reading the order's date")
		}
		first := time.Date(created.Year(), created.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		return processor.Schedule{For: first}, nil
	}}
	decision, _ := vendor.Purchase(context.Background(), order(`{"id":"PR-1","created":"2026-10-14T09:30:00+00:00"}`))
	fmt.Printf("%T %+v\n", decision, decision)
	// Output: processor.Schedule {For:2026-11-01 00:00:00 +0000 UTC Params:map[]}
}

func ExampleWait() {
	// The vendor's system builds a tenant for some minutes and can be asked.
	states := map[string]string{"PR-1": "building"}
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		tenant := "t-42"
		if states[t.Request.ID] != "ready" {
			return processor.Wait{
				For:    2 * time.Minute,
				Note:   "tenant " + tenant + " is being built",
				Params: processor.Params{"tenant_id": tenant}, // safe on Connect from now on
			}, nil
		}
		return processor.Approve{}, nil
	}}
	decision, _ := vendor.Purchase(context.Background(), order(`{"id":"PR-1"}`))
	fmt.Printf("%T %+v\n", decision, decision)
	// Output: processor.Wait {For:2m0s Note:tenant t-42 is being built Params:map[tenant_id:t-42]}
}

func ExampleSkip() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		if t.Request.Asset.Connection.Type == "test" {
			return processor.Skip{Reason: "test orders are answered by hand"}, nil
		}
		return processor.Approve{}, nil
	}}
	decision, _ := vendor.Purchase(context.Background(), order(`{"id":"PR-1","asset":{"connection":{"type":"test"}}}`))
	fmt.Printf("%T %+v\n", decision, decision)
	// Output: processor.Skip {Reason:test orders are answered by hand}
}

func ExamplePermanent() {
	vendor := processor.Vendor{Purchase: func(_ context.Context, t *processor.Task) (processor.Decision, error) {
		plans := map[string]string{"MPN-GOLD": "gold"}
		for _, item := range t.Request.Asset.Items {
			if plans[item.MPN] == "" {
				return nil, processor.Permanent(fmt.Errorf("finding a plan for item %s: the table lacks it", item.MPN))
			}
		}
		return processor.Approve{}, nil
	}}
	_, err := vendor.Purchase(context.Background(), order(`{"id":"PR-1","asset":{"items":[{"mpn":"MPN-LEAD"}]}}`))
	fmt.Println(err)
	fmt.Println(processor.IsPermanent(err), processor.ClassOf(err))
	// Output:
	// finding a plan for item MPN-LEAD: the table lacks it
	// true vendor_refused
}

func ExampleRetryAfter() {
	err := processor.RetryAfter(errors.New("creating the tenant: maintenance until 04:00"), 3*time.Hour)
	after, asked := processor.RetryDelay(err)
	fmt.Println(err, after, asked)
	// Output: creating the tenant: maintenance until 04:00 3h0m0s true
}

// A call that was never sent leaves no doubt behind: the next attempt makes it.
func ExampleNotDone() {
	memory := &processor.MemorySteps{}
	for attempt := 1; attempt <= 2; attempt++ {
		task := order(`{"id":"PR-1"}`)
		task.Attempt, task.Steps = attempt, memory
		tenant, err := processor.AtMostOnce(context.Background(), task, "create",
			func(context.Context, string) (string, error) {
				if attempt == 1 {
					return "", processor.NotDone(errors.New("dialing the vendor: connection refused"))
				}
				return "t-42", nil
			})
		fmt.Printf("%q %v\n", tenant, err)
	}
	// Output:
	// "" dialing the vendor: connection refused
	// "t-42" <nil>
}

// The second attempt gets what the first one made.
func ExampleOnce() {
	type tenant struct{ ID string }
	vendor := processor.Vendor{Purchase: func(ctx context.Context, t *processor.Task) (processor.Decision, error) {
		made, err := processor.Once(ctx, t, "create", func(_ context.Context, key string) (tenant, error) {
			fmt.Println("the vendor creates a tenant, with the idempotency key", key)
			return tenant{ID: "t-42"}, nil
		})
		if err != nil {
			return nil, err
		}
		return processor.Approve{Params: processor.Params{"tenant_id": made.ID}}, nil
	}}
	memory := &processor.MemorySteps{}
	for range 2 {
		task := order(`{"id":"PR-1"}`)
		task.Steps = memory
		decision, err := vendor.Purchase(context.Background(), task)
		fmt.Printf("%+v %v\n", decision, err)
	}
	// Output:
	// the vendor creates a tenant, with the idempotency key PR-1:create
	// {Params:map[tenant_id:t-42] Template: EffectiveDate:0001-01-01 00:00:00 +0000 UTC} <nil>
	// {Params:map[tenant_id:t-42] Template: EffectiveDate:0001-01-01 00:00:00 +0000 UTC} <nil>
}

// When the first attempt's answer was lost, nobody knows whether there is a
// tenant: a person must look.
func ExampleAtMostOnce() {
	memory := &processor.MemorySteps{}
	for range 2 {
		task := order(`{"id":"PR-1"}`)
		task.Steps = memory
		_, err := processor.AtMostOnce(context.Background(), task, "create",
			func(context.Context, string) (string, error) {
				fmt.Println("the vendor is called")
				return "", errors.New("reading the answer: connection reset")
			})
		fmt.Println(processor.ClassOf(err), processor.IsPermanent(err))
	}
	// Output:
	// the vendor is called
	// vendor_unavailable false
	// outcome_unknown true
}

// One operation is written in Go, the rest is as configured.
func ExampleVendor_Or() {
	configured := processor.Vendor{
		Purchase: func(context.Context, *processor.Task) (processor.Decision, error) { return processor.Approve{}, nil },
		Cancel:   func(context.Context, *processor.Task) (processor.Decision, error) { return processor.Approve{}, nil },
	}
	vendor := processor.Vendor{
		Cancel: func(context.Context, *processor.Task) (processor.Decision, error) {
			return processor.Fail{Reason: "Call us first."}, nil
		},
	}.Or(configured)
	for _, handler := range []processor.Handler{vendor.Purchase, vendor.Cancel} {
		decision, _ := handler(context.Background(), order(`{"id":"PR-1"}`))
		fmt.Printf("%T\n", decision)
	}
	fmt.Println("suspends:", vendor.Suspend != nil)
	// Output:
	// processor.Approve
	// processor.Fail
	// suspends: false
}
