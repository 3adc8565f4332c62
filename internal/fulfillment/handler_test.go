package fulfillment_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

func TestAHandlersErrorSaysWhatFollows(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		want  fulfillment.Outcome
		class processor.ErrorClass
		after time.Duration
	}{
		"plain":           {errVendor, fulfillment.Retry, processor.ClassVendorUnavailable, 0},
		"RetryAfter":      {processor.RetryAfter(errVendor, time.Hour), fulfillment.Retry, processor.ClassVendorUnavailable, time.Hour},
		"with a class":    {processor.WithClass(processor.ClassVendorAuth, errVendor), fulfillment.Retry, processor.ClassVendorAuth, 0},
		"Permanent":       {processor.Permanent(errVendor), fulfillment.Park, processor.ClassVendorRefused, 0},
		"Permanent class": {processor.Permanent(processor.WithClass(processor.ClassVendorAnswer, errVendor)), fulfillment.Park, processor.ClassVendorAnswer, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform()
			result := process(t, p, refuse(c.err))
			checkOutcome(t, result, c.want, c.class)
			checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
			if result.After != c.after {
				t.Errorf("after %s, want %s", result.After, c.after)
			}
			if spends := c.want == fulfillment.Retry; result.Spends() != spends {
				t.Errorf("spends: %v, want %v", result.Spends(), spends)
			}
			if result.Request == nil || result.Request.ID != "PR-1" {
				t.Errorf("the result's request is %v", result.Request)
			}
		})
	}
}

// An error wins over a decision: the decision may be half made.
func TestADecisionBesideAnErrorDoesNotCount(t *testing.T) {
	p := newPlatform()
	result := process(t, p, func(context.Context, *processor.Task) (processor.Decision, error) {
		return processor.Fail{Reason: "no"}, errVendor
	})
	checkOutcome(t, result, fulfillment.Retry, processor.ClassVendorUnavailable)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
}

func TestAPanicIsARetriedDefect(t *testing.T) {
	p := newPlatform()
	result := process(t, p, func(_ context.Context, task *processor.Task) (processor.Decision, error) {
		return processor.Skip{Reason: task.Request.Asset.Items[3].MPN}, nil // there is none
	})
	checkOutcome(t, result, fulfillment.Retry, processor.ClassDefect)
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
	if !result.Spends() {
		t.Error("it spends no attempt, and would go on for ever")
	}
	if !strings.Contains(result.Err.Error(), "index out of range") {
		t.Errorf("error %v", result.Err)
	}
}

// Connect's troubles in a handler's own reads are not the vendor's.
func TestAHandlersReadsOfConnect(t *testing.T) {
	for status, c := range map[int]struct {
		want  fulfillment.Outcome
		class processor.ErrorClass
	}{
		http.StatusUnauthorized:    {fulfillment.Retry, processor.ClassConnectAuth},
		http.StatusForbidden:       {fulfillment.Retry, processor.ClassConnectAuth},
		http.StatusTooManyRequests: {fulfillment.Retry, processor.ClassRateLimited},
		http.StatusBadGateway:      {fulfillment.Retry, processor.ClassConnectUnavailable},
		http.StatusNotFound:        {fulfillment.Retry, processor.ClassVendorUnavailable}, // the handler asked for the wrong thing
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			p := troubled("GET /assets/AS-2", refusal(status))
			result := process(t, p, func(ctx context.Context, task *processor.Task) (processor.Decision, error) {
				_, err := task.Connect.Asset(ctx, "AS-2")
				return nil, err
			})
			checkOutcome(t, result, c.want, c.class)
		})
	}
}

func TestAStopBeforeTheAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := newPlatform()
	result := processWith(ctx, t, p, provisioned(), &steps{})
	checkOutcome(t, result, fulfillment.Retry, processor.ClassInterrupted)
	checkCalls(t, p)
}

func TestAStopWhileTheVendorWorks(t *testing.T) {
	for name, give := range map[string]struct {
		decision processor.Decision
		err      error
	}{
		"an error":           {nil, errVendor},
		"a permanent error":  {nil, processor.Permanent(errVendor)}, // perhaps of the stop's making
		"an answer too late": {processor.Approve{Params: processor.Params{"tenant_id": "t-42"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			p := newPlatform()
			result := processWith(ctx, t, p, func(context.Context, *processor.Task) (processor.Decision, error) {
				cancel()
				return give.decision, give.err
			}, &steps{})
			checkOutcome(t, result, fulfillment.Retry, processor.ClassInterrupted)
			checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
			if result.Spends() {
				t.Error("it spends an attempt")
			}
		})
	}
}

func TestADeadlineWhileTheVendorWorks(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		want  fulfillment.Outcome
		class processor.ErrorClass
	}{
		"the context's error": {context.DeadlineExceeded, fulfillment.Retry, processor.ClassTimeout},
		"another error":       {errVendor, fulfillment.Retry, processor.ClassTimeout},
		"a permanent error":   {processor.Permanent(errVendor), fulfillment.Park, processor.ClassVendorRefused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				p := newPlatform()
				result := processWith(ctx, t, p, func(ctx context.Context, _ *processor.Task) (processor.Decision, error) {
					<-ctx.Done()
					return nil, c.err
				}, &steps{})
				checkOutcome(t, result, c.want, c.class)
				if spends := c.want == fulfillment.Retry; result.Spends() != spends {
					t.Errorf("spends: %v, want %v", result.Spends(), spends)
				}
			})
		})
	}
}
