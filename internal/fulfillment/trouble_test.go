package fulfillment_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

const approvesWithTL1 = approves + ` {"template_id":"TL-1"}`

func TestARefusedActionThatWasDoneAlreadyIsSuccess(t *testing.T) {
	for action, c := range map[string]struct {
		decision processor.Decision
		status   string
		want     fulfillment.Outcome
	}{
		"approve":  {processor.Approve{Params: processor.Params{"tenant_id": "t-42"}}, "approved", fulfillment.Approved},
		"fail":     {processor.Fail{Reason: "no"}, "failed", fulfillment.Failed},
		"inquire":  {processor.Inquire{Problems: []processor.ParamError{{ID: "domain", Message: "?"}}}, "inquiring", fulfillment.Inquired},
		"schedule": {processor.Schedule{For: time.Unix(2e9, 0)}, "scheduled", fulfillment.Scheduled},
	} {
		t.Run(action, func(t *testing.T) {
			p := newPlatform()
			p.Replies["POST /requests/PR-1/"+action] = []reply{then(func() { p.Status = c.status })}
			result := process(t, p, decide(c.decision))
			checkOutcome(t, result, c.want, "")
			if last := p.Calls[len(p.Calls)-1]; last != readsRequest {
				t.Errorf("the last call was %s, not another look", last)
			}
			if string(result.Request.Status) != c.status {
				t.Errorf("the result's request is %s", result.Request.Status)
			}
		})
	}
}

func TestARefusedConfirmationThatWasDoneAlreadyIsSuccess(t *testing.T) {
	p := newPlatform()
	p.Status = "revoking"
	p.Replies["POST /requests/PR-1/confirm"] = []reply{then(func() { p.Status = "revoked" })}
	checkOutcome(t, process(t, p, decide(processor.Approve{})), fulfillment.Approved, "")
}

func TestAReplacedTemplateIsFoundOnce(t *testing.T) {
	p := newPlatform()
	p.Replies[approves] = []reply{then(func() { p.Templates[0].ID = "TL-7" })}
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Approved, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, approvesWithTL1,
		readsRequest, readsTemplates, approves+` {"template_id":"TL-7"}`)
}

func TestARefusedApprovalIsParkedAfterOneLookForANewTemplate(t *testing.T) {
	p := newPlatform()
	p.Replies[approves] = []reply{refusal(http.StatusBadRequest)}
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Park, processor.ClassConnectRefused)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, approvesWithTL1, readsRequest, readsTemplates)

	p = newPlatform()
	p.Replies[approves] = []reply{then(func() { p.Templates[0].ID = "TL-7" }), refusal(http.StatusBadRequest)}
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Park, processor.ClassConnectRefused)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, approvesWithTL1, readsRequest, readsTemplates,
		approves+` {"template_id":"TL-7"}`, readsRequest)
}

func TestOtherRefusedActionsAreParked(t *testing.T) {
	p := newPlatform()
	p.Replies["POST /requests/PR-1/fail"] = []reply{refusal(http.StatusBadRequest)}
	checkOutcome(t, process(t, p, decide(processor.Fail{Reason: "no"})), fulfillment.Park, processor.ClassConnectRefused)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, `POST /requests/PR-1/fail {"reason":"no"}`, readsRequest)
}

func TestARefusedSaveIsParked(t *testing.T) {
	p := newPlatform()
	p.Replies[savesParams] = []reply{refusal(http.StatusBadRequest)}
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Park, processor.ClassConnectRefused)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, readsRequest)
}

// The customer took the order back while the vendor was at work: the next
// attempt sees what it has become.
func TestASaveRefusedBecauseTheRequestMovedOnIsLookedAtAgain(t *testing.T) {
	p := newPlatform()
	p.Replies[savesParams] = []reply{then(func() { p.Status = "inquiring" })}
	result := process(t, p, provisioned())
	checkOutcome(t, result, fulfillment.Retry, processor.ClassInterrupted)
	if result.Spends() {
		t.Error("it spends an attempt")
	}
}

// troubled answers each kind of call once with the reply.
func troubled(call string, r reply) *platform {
	p := newPlatform()
	p.Replies[call] = []reply{r}
	return p
}

func TestConnectsTroublesAreTriedAgain(t *testing.T) {
	unreachable := func(func() *http.Response) (*http.Response, error) { return nil, errors.New("connection refused") }
	for name, c := range map[string]struct {
		reply  reply
		class  processor.ErrorClass
		after  time.Duration
		spends bool
	}{
		"401":                      {refusal(http.StatusUnauthorized), processor.ClassConnectAuth, 0, false},
		"403":                      {refusal(http.StatusForbidden), processor.ClassConnectAuth, 0, false},
		"429":                      {refusal(http.StatusTooManyRequests), processor.ClassRateLimited, 0, false},
		"429 with a time":          {refusal(http.StatusTooManyRequests, "Retry-After: 7"), processor.ClassRateLimited, 7 * time.Second, false},
		"500":                      {refusal(http.StatusInternalServerError), processor.ClassConnectUnavailable, 0, true},
		"502":                      {refusal(http.StatusBadGateway), processor.ClassConnectUnavailable, 0, true},
		"503 with a time":          {refusal(http.StatusServiceUnavailable, "Retry-After: 90"), processor.ClassConnectUnavailable, 90 * time.Second, true},
		"no answer":                {unreachable, processor.ClassConnectUnavailable, 0, true},
		"done, and the reply lost": {lost, processor.ClassConnectUnavailable, 0, true},
	} {
		for _, call := range []string{readsRequest, readsTemplates, savesParams, approves} {
			t.Run(name+" to "+call, func(t *testing.T) {
				p := troubled(call, c.reply)
				result := process(t, p, provisioned())
				checkOutcome(t, result, fulfillment.Retry, c.class)
				if result.After != c.after || result.Spends() != c.spends {
					t.Errorf("after %s, spends %v; want %s, %v", result.After, result.Spends(), c.after, c.spends)
				}
				// Whatever was carried out, the next attempt brings it to its end.
				after := process(t, p, provisioned())
				if p.Status != "approved" {
					t.Errorf("after another attempt (%s) the request is %s", after.Outcome, p.Status)
				}
			})
		}
	}
}

func TestAnUnreadableRequestIsTriedAgain(t *testing.T) {
	p := troubled(readsRequest, empty)
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Retry, processor.ClassConnectUnavailable)
}

func TestASaveWithoutAnAnswerIsReadBack(t *testing.T) {
	p := troubled(savesParams, empty)
	checkOutcome(t, process(t, p, provisioned()), fulfillment.Approved, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor, savesTenant, readsRequest, approvesWithTL1)
}

func TestAnActionWithoutAnAnswerIsDone(t *testing.T) {
	p := troubled(approves, empty)
	result := process(t, p, provisioned())
	checkOutcome(t, result, fulfillment.Approved, "")
	if result.Request.Asset.ID != "AS-1" {
		t.Errorf("the result's request is %+v", result.Request)
	}
}

func TestAProxysPageIsNoAnswer(t *testing.T) {
	for _, call := range []string{savesParams, approves} {
		p := troubled(call, page)
		checkOutcome(t, process(t, p, provisioned()), fulfillment.Retry, processor.ClassConnectUnavailable)
		checkOutcome(t, process(t, p, provisioned()), fulfillment.Approved, "")
	}
}

func TestAGoneRequestIsNothingToDo(t *testing.T) {
	p := troubled(readsRequest, refusal(http.StatusNotFound))
	checkOutcome(t, process(t, p, provisioned()), fulfillment.NothingToDo, "")
	checkCalls(t, p, readsRequest)

	p = troubled("POST /requests/PR-1/fail", refusal(http.StatusNotFound))
	checkOutcome(t, process(t, p, decide(processor.Fail{Reason: "no"})), fulfillment.NothingToDo, "")
}

func TestARequestGoneAfterTheVendorActedIsParked(t *testing.T) {
	begun := &steps{begun: true}
	p := troubled(readsRequest, refusal(http.StatusNotFound))
	checkOutcome(t, processWith(t.Context(), t, p, provisioned(), begun), fulfillment.Park, processor.ClassGoneAfterEffect)

	for _, call := range []string{savesParams, approves} {
		p = troubled(call, refusal(http.StatusNotFound))
		checkOutcome(t, process(t, p, provisioned()), fulfillment.Park, processor.ClassGoneAfterEffect)
	}
	p = troubled("POST /requests/PR-1/fail", refusal(http.StatusNotFound))
	checkOutcome(t, processWith(t.Context(), t, p, decide(processor.Fail{Reason: "no"}), begun), fulfillment.Park, processor.ClassGoneAfterEffect)
}

func TestAGoneRequestWhoseStepsCannotBeReadIsTriedAgain(t *testing.T) {
	p := troubled(readsRequest, refusal(http.StatusNotFound))
	away := &steps{err: processor.WithClass(processor.ClassInterrupted, errors.New("Redis is away"))}
	checkOutcome(t, processWith(t.Context(), t, p, provisioned(), away), fulfillment.Retry, processor.ClassInterrupted)
}

// A 404 to the list of templates speaks of the product, not of the request.
func TestAnUnknownProductIsNotAGoneRequest(t *testing.T) {
	p := newPlatform()
	p.Replies[readsTemplates] = []reply{then(func() {}), refusal(http.StatusNotFound)}
	result := process(t, p, decide(processor.Inquire{
		Problems: []processor.ParamError{{ID: "domain", Message: "?"}}, Template: "Correct it",
	}))
	checkOutcome(t, result, fulfillment.Park, processor.ClassConnectRefused)
}
