package httpvendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/connect-processor/connect-processor/processor"
)

// New returns a vendor with a handler for each configured operation. All
// faults of the mapping are reported together, joined; each begins with the
// path of what is wrong, such as operations.purchase.calls[0].
func New(cfg Config) (processor.Vendor, error) {
	var vendor processor.Vendor
	operations, err := compile(cfg)
	if err != nil {
		return vendor, err
	}
	for name, handler := range handlers(&vendor) {
		if operation, configured := operations[name]; configured {
			*handler = operation.handle
		}
	}
	return vendor, nil
}

// handlers names the fields of a vendor.
func handlers(v *processor.Vendor) map[string]*processor.Handler {
	return map[string]*processor.Handler{
		purchase: &v.Purchase, "change": &v.Change, "cancel": &v.Cancel, "suspend": &v.Suspend, "resume": &v.Resume,
		"adjustment": &v.Adjustment, "renew": &v.Renew, "transfer": &v.Transfer, "revoke": &v.Revoke,
	}
}

// purchase is the operation that creates; the others find what it left.
const purchase = "purchase"

// saves are values by parameter ID, as they stand in an answer.
type saves map[string]json.RawMessage

// operation is a checked Operation.
type operation struct {
	name   string
	expect Expect
	calls  []call
}

// call is a checked Call.
type call struct {
	name      string
	method    string
	base      string // without a slash at its end
	shownPath string
	path      text
	body      any // with texts for strings; nil when there is none
	kind      Idempotency
	save      map[string]string
	done      []int
	timeout   time.Duration
}

// handle implements processor.Handler.
func (o operation) handle(ctx context.Context, t *processor.Task) (processor.Decision, error) {
	items := len(t.Request.Asset.Items)
	switch {
	case o.expect.Items == 0:
	case items == 0:
		return nil, missing(fmt.Errorf("preparing the %s: the request has no items", o.name))
	case items > o.expect.Items:
		return processor.Fail{Reason: o.expect.ElseFail}, nil
	}
	known := values{request: t.Request, saved: saves{}}
	calls := o.remaining(known)
	if err := rehearse(calls, known); err != nil {
		return nil, missing(fmt.Errorf("preparing the %s: %w", o.name, err))
	}
	params := make(processor.Params)
	for _, c := range calls {
		taken, err := c.run(ctx, t, known)
		if err != nil {
			return nil, err
		}
		maps.Copy(known.saved, taken)
		for param := range taken {
			params[param] = known.param(param).json
		}
	}
	return processor.Approve{Params: params}, nil
}

// missing is the error of a request that lacks what the mapping needs.
func missing(err error) error {
	return processor.Permanent(processor.WithClass(processor.ClassParams, err))
}

// remaining leaves out the calls that created what the request already names:
// an earlier attempt got so far, and Redis has forgotten it.
func (o operation) remaining(v values) []call {
	var calls []call
	for _, c := range o.calls {
		creates := o.name == purchase && c.kind != Repeatable && len(c.save) > 0
		if creates && c.saved(v) {
			continue
		}
		calls = append(calls, c)
	}
	return calls
}

// saved reports whether all that the call saves has a value.
func (c call) saved(v values) bool {
	for param := range c.save {
		if v.param(param).json == nil {
			return false
		}
	}
	return true
}

// rehearse fills every call before any is made, so that the vendor is never
// called for a request that cannot be carried out to its end. What a later
// call takes from an earlier answer has a stand-in.
func rehearse(calls []call, v values) error {
	var faults []string
	standIns := values{request: v.request, saved: saves{}}
	for _, c := range calls {
		if _, err := c.fill(standIns); err != nil {
			faults = append(faults, c.name+": "+err.Error())
		}
		for param := range c.save {
			standIns.saved[param] = json.RawMessage(`"saved"`)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

// fill puts the values into the call.
func (c call) fill(v values) (message, error) {
	path, err := c.path.renderPath(v)
	if err != nil {
		return message{}, err
	}
	filled := message{url: c.base + path}
	if c.body == nil {
		return filled, nil
	}
	body, err := renderBody(c.body, v)
	if err != nil {
		return message{}, err
	}
	if filled.body, err = json.Marshal(body); err != nil {
		return message{}, fmt.Errorf("encoding the body: %w", err)
	}
	return filled, nil
}

// run makes the call, as often as its kind allows.
func (c call) run(ctx context.Context, t *processor.Task, v values) (saves, error) {
	filled, err := c.fill(v)
	if err != nil {
		return nil, missing(c.wrap(err))
	}
	send := func(ctx context.Context, key string) (saves, error) { return c.send(ctx, t.HTTP, filled, key) }
	switch c.kind {
	case Key:
		return processor.Once(ctx, t, c.name, send)
	case None:
		return processor.AtMostOnce(ctx, t, c.name, send)
	case Repeatable:
	}
	return send(ctx, t.Key(c.name))
}
