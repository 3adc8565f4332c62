package fulfillment

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// answer carries one decision to Connect.
type answer struct {
	engine  *Engine
	use     useCase
	product Product
	request *connect.Request // as last read or written

	template connect.Template // activation template, resolved before the vendor is called
}

// prepare resolves what approving will need. Without it nothing may be
// provisioned: the customer could not be told.
func (a *answer) prepare(ctx context.Context) error {
	if !a.use.activates {
		return nil
	}
	template, err := a.resolve(ctx, connect.TemplateFulfillment, a.product.Template)
	a.template = template
	return err
}

func (a *answer) resolve(ctx context.Context, typ connect.TemplateType, nameOrID string) (connect.Template, error) {
	template, err := a.engine.cfg.Templates.Resolve(ctx, connect.TemplateKey{
		ProductID: a.request.Asset.Product.ID, Scope: connect.ScopeAsset, Type: typ, NameOrID: nameOrID,
	})
	return template, onConnect(err)
}

// give does on Connect what the decision says.
func (a *answer) give(ctx context.Context, decision processor.Decision) (Result, error) {
	switch d := decision.(type) {
	case processor.Approve:
		return Result{Outcome: Approved}, a.use.approve(a, ctx, d)
	case processor.Fail:
		return Result{Outcome: Failed}, a.fail(ctx, d)
	case processor.Inquire:
		return Result{Outcome: Inquired}, a.inquire(ctx, d)
	case processor.Schedule:
		return Result{Outcome: Scheduled}, a.schedule(ctx, d)
	case processor.Wait:
		return a.wait(ctx, d)
	case processor.Skip:
		return Result{Outcome: Skipped, Note: d.Reason}, nil
	case nil:
		return Result{}, defect("the handler returned neither a decision nor an error")
	}
	return Result{}, defect("a decision of unknown type %T", decision)
}

func (a *answer) approve(ctx context.Context, d processor.Approve) error {
	template := a.template
	if d.Template != "" {
		var err error
		if template, err = a.resolve(ctx, connect.TemplateFulfillment, d.Template); err != nil {
			return err
		}
	}
	if err := a.save(ctx, d.Params, nil); err != nil {
		return err
	}
	if err := a.requireFulfillmentParams(); err != nil {
		return err
	}
	err := a.approveWith(ctx, template, d)
	if connect.StatusOf(err) != http.StatusBadRequest {
		return err
	}
	// The template may have been replaced since it was cached.
	a.engine.cfg.Templates.Forget(a.request.Asset.Product.ID)
	fresh, resolveErr := a.resolve(ctx, connect.TemplateFulfillment, cmp.Or(d.Template, a.product.Template))
	if resolveErr != nil {
		return resolveErr
	}
	if fresh.ID == template.ID {
		return err
	}
	return a.approveWith(ctx, fresh, d)
}

func (a *answer) approveWith(ctx context.Context, template connect.Template, d processor.Approve) error {
	return a.act(ctx, a.use.approved, func() (*connect.Request, error) {
		return a.engine.cfg.Actions.ApproveRequest(ctx, a.request.ID,
			connect.Approval{TemplateID: template.ID, EffectiveDate: d.EffectiveDate})
	})
}

func (a *answer) confirm(ctx context.Context, d processor.Approve) error {
	if err := a.save(ctx, d.Params, nil); err != nil {
		return err
	}
	return a.act(ctx, a.use.approved, func() (*connect.Request, error) {
		return a.engine.cfg.Actions.ConfirmRequest(ctx, a.request.ID)
	})
}

func (a *answer) fail(ctx context.Context, d processor.Fail) error {
	if d.Reason == "" {
		return defect("a Fail decision without a reason")
	}
	return a.act(ctx, connect.StatusFailed, func() (*connect.Request, error) {
		return a.engine.cfg.Actions.FailRequest(ctx, a.request.ID, d.Reason)
	})
}

func (a *answer) inquire(ctx context.Context, d processor.Inquire) error {
	if len(d.Problems) == 0 {
		return defect("an Inquire decision that names no parameter to correct")
	}
	var template connect.Template
	if d.Template != "" {
		var err error
		if template, err = a.resolve(ctx, connect.TemplateInquire, d.Template); err != nil {
			return err
		}
	}
	if err := a.save(ctx, d.Params, d.Problems); err != nil {
		return err
	}
	return a.act(ctx, connect.StatusInquiring, func() (*connect.Request, error) {
		return a.engine.cfg.Actions.InquireRequest(ctx, a.request.ID, template.ID)
	})
}

func (a *answer) schedule(ctx context.Context, d processor.Schedule) error {
	if d.For.IsZero() {
		return defect("a Schedule decision without a date")
	}
	if err := a.save(ctx, d.Params, nil); err != nil {
		return err
	}
	return a.act(ctx, connect.StatusScheduled, func() (*connect.Request, error) {
		return a.engine.cfg.Actions.ScheduleRequest(ctx, a.request.ID, d.For)
	})
}

// defaultWait is how long a Wait decision without a time waits.
const defaultWait = time.Minute

func (a *answer) wait(ctx context.Context, d processor.Wait) (Result, error) {
	if err := a.save(ctx, d.Params, nil); err != nil {
		return Result{}, err
	}
	created, known := a.request.Created.Time()
	if age := a.engine.cfg.Now().Sub(created); known && age > a.engine.cfg.MaxWait {
		return Result{}, processor.Permanent(processor.WithClass(processor.ClassTooOld,
			fmt.Errorf("waiting for the vendor: %s old, which is more than %s: %s", age.Round(time.Minute), a.engine.cfg.MaxWait, d.Note)))
	}
	after := d.For
	if after == 0 {
		after = defaultWait
	}
	return Result{Outcome: Waiting, After: max(after, time.Second), Note: d.Note}, nil
}

// act sends one action. A 400 may mean that the answer was given already, by an
// attempt whose reply was lost: being in the wanted status is success. A reply
// that cannot be read may be a proxy's page, of an action that never arrived.
func (a *answer) act(ctx context.Context, wanted connect.RequestStatus, send func() (*connect.Request, error)) error {
	answered, err := send()
	if err == nil && answered.Status != "" {
		a.request = answered
		return nil
	}
	switch {
	case err == nil:
		err = fmt.Errorf("answering: the reply was not readable, and the request is not %s", wanted)
	case connect.StatusOf(err) != http.StatusBadRequest:
		return onRequest(err)
	}
	now, readErr := a.engine.cfg.Requests.Request(ctx, a.request.ID)
	if readErr != nil {
		return onRequest(readErr)
	}
	a.request = now
	if now.Status == wanted {
		return nil
	}
	return onRequest(err)
}

func defect(format string, args ...any) error {
	return processor.Permanent(processor.WithClass(processor.ClassDefect, fmt.Errorf("answering: "+format, args...)))
}
