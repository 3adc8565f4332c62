package fulfillment_test

import (
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

const savesTenant = savesParams + ` {"asset":{"params":[{"id":"tenant_id","value":"t-42"}]}}`

func TestApproveSavesParamsAndThenApproves(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Approve{
		Params:        processor.Params{"tenant_id": "t-42", "domain": "example.com"}, // the domain is that already
		EffectiveDate: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC),
	}))
	checkOutcome(t, result, fulfillment.Approved, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant,
		approves+` {"template_id":"TL-1","effective_date":"2026-10-02T00:00:00+00:00"}`)
	if result.Request.Status != "approved" || string(result.Request.Updated) != p.updated() {
		t.Errorf("the result's request is %s, %s: not as last written", result.Request.Status, result.Request.Updated)
	}
}

func TestApproveWithItsOwnTemplate(t *testing.T) {
	p := newPlatform()
	p.Templates = append(p.Templates, template{ID: "TL-3", Name: "Trial", Scope: "asset", Type: "fulfillment"})
	engine := newEngine(t, p, fulfillment.Product{
		Template: "Welcome",
		Vendor:   everything(p, decide(processor.Approve{Template: "Trial", Params: processor.Params{"tenant_id": "t-42"}})),
	})
	result := engine.Process(t.Context(), fulfillment.Attempt{Request: "PR-1", Number: 1, Steps: &steps{}})
	checkOutcome(t, result, fulfillment.Approved, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, approves+` {"template_id":"TL-3"}`)
}

func TestNothingIsProvisionedWithoutATemplate(t *testing.T) {
	p := newPlatform()
	p.Templates = nil
	result := process(t, p, provisioned())
	checkOutcome(t, result, fulfillment.Park, processor.ClassTemplate)
	checkCalls(t, p, readsRequest, readsTemplates)
}

func TestApproveWithAnUnknownTemplateIsParked(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Approve{Template: "Triale", Params: processor.Params{"tenant_id": "t-42"}}))
	checkOutcome(t, result, fulfillment.Park, processor.ClassTemplate)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
}

func TestApproveNeedsRequiredFulfillmentParams(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Approve{}))
	checkOutcome(t, result, fulfillment.Park, processor.ClassParams)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
}

func TestFailGivesTheReason(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Fail{Reason: "The domain is taken."}))
	checkOutcome(t, result, fulfillment.Failed, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor,
		`POST /requests/PR-1/fail {"reason":"The domain is taken."}`)
}

func TestInquireSavesProblemsWithTheCurrentValue(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Inquire{
		Problems: []processor.ParamError{
			{ID: "domain", Message: "Unknown domain."},
			{ID: "admin", Message: "Who is that?"},
			{ID: "tenant_id", Message: "Choose one."},
		},
		Params:   processor.Params{"tenant_id": "t-42"},
		Template: "Correct it",
	}))
	checkOutcome(t, result, fulfillment.Inquired, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, readsTemplates,
		savesParams+` {"asset":{"params":[`+
			`{"id":"tenant_id","value":"t-42","value_error":"Choose one."},`+
			`{"id":"domain","value":"example.com","value_error":"Unknown domain."},`+
			`{"id":"admin","structured_value":{"level":1,"name":"Ada"},"value_error":"Who is that?"}]}}`,
		`POST /requests/PR-1/inquire {"template_id":"TL-2"}`)
}

func TestInquireLeavesTheTemplateToConnect(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Inquire{Problems: []processor.ParamError{{ID: "domain", Message: "Unknown."}}}))
	checkOutcome(t, result, fulfillment.Inquired, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor,
		savesParams+` {"asset":{"params":[{"id":"domain","value":"example.com","value_error":"Unknown."}]}}`,
		`POST /requests/PR-1/inquire {}`)
}

func TestScheduleSavesParamsAndGivesTheDate(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Schedule{
		For:    time.Date(2026, 11, 1, 1, 0, 0, 0, time.FixedZone("", 3600)),
		Params: processor.Params{"tenant_id": "t-42"},
	}))
	checkOutcome(t, result, fulfillment.Scheduled, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant,
		`POST /requests/PR-1/schedule {"planned_date":"2026-11-01T00:00:00+00:00"}`)
}

func TestWaitSavesParamsAndComesBack(t *testing.T) {
	for name, c := range map[string]struct{ asked, want time.Duration }{
		"by itself":    {0, time.Minute},
		"as asked":     {5 * time.Minute, 5 * time.Minute},
		"not at once":  {time.Millisecond, time.Second},
		"not backward": {-time.Hour, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform()
			result := process(t, p, decide(processor.Wait{For: c.asked, Note: "building", Params: processor.Params{"tenant_id": "t-42"}}))
			checkOutcome(t, result, fulfillment.Waiting, "")
			checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant)
			if result.After != c.want || result.Note != "building" || result.Spends() {
				t.Errorf("after %s, note %q, spends %v", result.After, result.Note, result.Spends())
			}
			if string(result.Request.Updated) != p.updated() {
				t.Errorf("the result knows %q, Connect has %q", result.Request.Updated, p.updated())
			}
		})
	}
}

func TestWaitEndsWhenTheRequestIsTooOld(t *testing.T) {
	p := newPlatform()
	p.Created = "2026-09-30T10:59:00+00:00" // one minute more than a day ago
	result := process(t, p, decide(processor.Wait{Note: "building", Params: processor.Params{"tenant_id": "t-42"}}))
	checkOutcome(t, result, fulfillment.Park, processor.ClassTooOld)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant) // what is known is saved all the same

	p = newPlatform()
	p.Created = "2026-09-30T11:01:00+00:00"
	checkOutcome(t, process(t, p, decide(processor.Wait{})), fulfillment.Waiting, "")

	p = newPlatform()
	p.Created = "" // nobody can tell
	checkOutcome(t, process(t, p, decide(processor.Wait{})), fulfillment.Waiting, "")
}

func TestSkipLeavesTheRequestAlone(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Skip{Reason: "of the old system"}))
	checkOutcome(t, result, fulfillment.Skipped, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
	if result.Note != "of the old system" || string(result.Request.Updated) != p.updated() {
		t.Errorf("note %q, updated %q", result.Note, result.Request.Updated)
	}
}

// An impossible decision must not reach Connect, nor be tried again.
func TestImpossibleDecisionsAreParkedDefects(t *testing.T) {
	for name, d := range map[string]processor.Decision{
		"Fail without a reason":     processor.Fail{},
		"Inquire without a problem": processor.Inquire{Params: processor.Params{"tenant_id": "t-42"}},
		"Schedule without a date":   processor.Schedule{Params: processor.Params{"tenant_id": "t-42"}},
		"a pointer":                 &processor.Approve{},
		"a value that is no JSON":   processor.Approve{Params: processor.Params{"tenant_id": make(chan int)}},
		"none":                      nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform()
			checkOutcome(t, process(t, p, decide(d)), fulfillment.Park, processor.ClassDefect)
			checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
		})
	}
}
