// Package fulfillment carries out one request: it reads the request anew,
// resolves the template before anything is provisioned, has the vendor's
// handler do the work, and turns the handler's decision into Connect's calls.
//
// It knows neither queue nor Redis, keeps no state between requests and never
// tries again by itself: it reports a Result, and the worker decides what that
// means for the task. Only the files named after request types know what is
// particular to one.
package fulfillment

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// Requests reads a request and saves its parameters. Errors are *connect.Error
// or *connect.DecodeError.
type Requests interface {
	Request(ctx context.Context, id string) (*connect.Request, error)
	UpdateRequest(ctx context.Context, id string, u connect.RequestUpdate) (*connect.Request, error)
}

// Actions answers a request. A nil error means that the answer took effect.
type Actions interface {
	ApproveRequest(ctx context.Context, id string, a connect.Approval) (*connect.Request, error)
	FailRequest(ctx context.Context, id, reason string) (*connect.Request, error)
	InquireRequest(ctx context.Context, id, templateID string) (*connect.Request, error)
	ScheduleRequest(ctx context.Context, id string, planned time.Time) (*connect.Request, error)
	ConfirmRequest(ctx context.Context, id string) (*connect.Request, error)
}

// Templates finds a product's template. The error is a *connect.TemplateError
// when the product has no such template.
type Templates interface {
	Resolve(ctx context.Context, key connect.TemplateKey) (connect.Template, error)
	Forget(productID string)
}

// Conversations leaves notes for the vendor's staff.
type Conversations interface {
	Conversation(ctx context.Context, instanceID string) (*connect.Conversation, error)
	Messages(ctx context.Context, conversationID string, q connect.Query) iter.Seq2[*connect.Message, error]
	PostMessage(ctx context.Context, conversationID string, m connect.NewMessage) (*connect.Message, error)
}

// Product is what the configuration says of one product.
type Product struct {
	Vendor   processor.Vendor
	HTTP     *http.Client // for the vendor's API
	Template string       // activation template by ID or name; empty: the default one
}

// Config of an Engine. All fields are needed.
type Config struct {
	Requests      Requests
	Actions       Actions
	Templates     Templates
	Conversations Conversations
	Reader        connect.Reader // handed to the vendor's handlers

	// Product returns the configuration of a product.
	Product func(productID string) Product

	// MaxWait is how old, by Connect's clock, a waiting request may become.
	MaxWait time.Duration

	Log *slog.Logger
	Now func() time.Time
}

// Engine carries out requests. It is safe for concurrent use.
type Engine struct {
	cfg Config
}

// New returns an engine.
func New(cfg Config) *Engine { return &Engine{cfg: cfg} }

// Attempt is one try at one request.
type Attempt struct {
	Request string // ID
	Number  int    // from 1
	Steps   Steps
}

// Steps remembers what earlier attempts did.
type Steps interface {
	processor.Steps

	// Begun reports whether any step was ever begun. Its errors are of class
	// interrupted.
	Begun(ctx context.Context) (bool, error)
}

// Process carries out one attempt. The Result always says what happened; an
// ended ctx makes it interrupted, or a timeout when its deadline passed, and a
// panic is an error like others.
func (e *Engine) Process(ctx context.Context, a Attempt) (result Result) {
	defer func() {
		if cause := recover(); cause != nil {
			e.cfg.Log.ErrorContext(ctx, "attempt panicked", "request_id", a.Request, "panic", cause, "stack", string(debug.Stack()))
			result = resultOf(ctx, nil, processor.WithClass(processor.ClassDefect, fmt.Errorf("carrying out %s: panic: %v", a.Request, cause)))
		}
	}()
	return e.process(ctx, a)
}

func (e *Engine) process(ctx context.Context, a Attempt) Result {
	request, err := e.cfg.Requests.Request(ctx, a.Request)
	switch err = onRequest(err); {
	case errors.Is(err, errGone):
		return e.gone(ctx, a, false, err)
	case err != nil:
		return resultOf(ctx, nil, err)
	}
	use, known := useCaseOf(request)
	if request.Status != use.awaits {
		return Result{Outcome: NothingToDo, Request: request}
	}
	product := e.cfg.Product(request.Asset.Product.ID)
	handler := use.handler(product.Vendor)
	if !known || handler == nil {
		return Result{Outcome: NotOffered, Request: request}
	}
	answer := answer{engine: e, use: use, product: product, request: request}
	if err := answer.prepare(ctx); err != nil {
		return resultOf(ctx, request, err)
	}
	decision, err := e.call(ctx, handler, product, a, request)
	if err != nil {
		return resultOf(ctx, request, err)
	}
	result, err := answer.give(ctx, decision)
	switch {
	case errors.Is(err, errGone):
		_, carriedOut := decision.(processor.Approve)
		return e.gone(ctx, a, carriedOut, err)
	case err != nil:
		return resultOf(ctx, answer.request, err)
	}
	result.Request = answer.request
	return result
}

// call runs the vendor's handler.
func (e *Engine) call(ctx context.Context, h processor.Handler, p Product, a Attempt, r *connect.Request) (processor.Decision, error) {
	log := e.cfg.Log.With("request_id", r.ID, "asset_id", r.Asset.ID, "product_id", r.Asset.Product.ID, "attempt", a.Number)
	d, err := h(ctx, &processor.Task{
		Request: r, Connect: e.cfg.Reader, HTTP: p.HTTP, Log: log, Attempt: a.Number, Steps: a.Steps,
	})
	return d, fromHandler(err)
}

// gone handles a request that Connect does not know (any more): nothing to do,
// unless the vendor has acted on it, by its own word or that of its steps.
func (e *Engine) gone(ctx context.Context, a Attempt, carriedOut bool, cause error) Result {
	begun, err := a.Steps.Begun(ctx)
	if err != nil && !carriedOut {
		return resultOf(ctx, nil, err)
	}
	if begun || carriedOut {
		return resultOf(ctx, nil, processor.Permanent(processor.WithClass(processor.ClassGoneAfterEffect, cause)))
	}
	return Result{Outcome: NothingToDo}
}
