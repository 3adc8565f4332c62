package fulfillment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/processor"
)

// save writes to Connect the parameters that differ from the request, and the
// problems that an inquiry needs. A problem is sent with the current value, as
// some servers blank it otherwise.
func (a *answer) save(ctx context.Context, params processor.Params, problems []processor.ParamError) error {
	updates, err := a.changed(params)
	if err != nil {
		return err
	}
	updates = a.addProblems(updates, problems)
	if len(updates) == 0 {
		return nil
	}
	saved, err := a.engine.cfg.Requests.UpdateRequest(ctx, a.request.ID, connect.RequestUpdate{Params: updates})
	if connect.StatusOf(err) == http.StatusBadRequest {
		return a.refusedSave(ctx, err)
	}
	if err != nil {
		return onRequest(err)
	}
	if saved.Updated == "" || saved.Status == "" { // an answer without a body: ask
		if saved, err = a.engine.cfg.Requests.Request(ctx, a.request.ID); err != nil {
			return onRequest(err)
		}
		if saved.Updated != "" && saved.Updated == a.request.Updated { // it was a proxy's page
			return processor.WithClass(processor.ClassConnectUnavailable,
				errors.New("saving parameters: nothing was saved, and the reply was not readable"))
		}
	}
	a.request = withParams(saved, updates)
	return nil
}

// refusedSave handles a 400 to a PUT: a request that has left its status in
// the meantime is looked at again, anything else waits for a person.
func (a *answer) refusedSave(ctx context.Context, refusal error) error {
	now, err := a.engine.cfg.Requests.Request(ctx, a.request.ID)
	if err != nil {
		return onRequest(err)
	}
	a.request = now
	if now.Status != a.use.awaits {
		return processor.WithClass(processor.ClassInterrupted,
			fmt.Errorf("saving parameters: the request has become %s meanwhile: %w", now.Status, refusal))
	}
	return onRequest(refusal)
}

// changed returns an update for each parameter that differs from the request,
// in the order of their IDs.
func (a *answer) changed(params processor.Params) ([]connect.ParamUpdate, error) {
	var updates []connect.ParamUpdate
	for _, id := range slices.Sorted(maps.Keys(params)) {
		update, err := encode(id, params[id])
		if err != nil {
			return nil, err
		}
		current, known := a.request.Asset.Params.Get(id)
		same := update.Value != nil && *update.Value == current.Value ||
			update.Value == nil && sameJSON(update.StructuredValue, current.StructuredValue)
		if !known || !same {
			updates = append(updates, update)
		}
	}
	return updates, nil
}

// encode turns a handler's value into Connect's form: text and numbers are
// values, anything else is structured.
func encode(id string, value any) (connect.ParamUpdate, error) {
	update := connect.ParamUpdate{ID: id}
	if text, ok := value.(string); ok {
		update.Value = &text
		return update, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return update, defect("the value of parameter %q: %w", id, err)
	}
	switch text := string(data); {
	case text == "null":
		text = ""
		update.Value = &text
	case text[0] == '"': // a type of its own that encodes as text
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return update, defect("the value of parameter %q: %w", id, err)
		}
		update.Value = &s
	case strings.ContainsRune("-0123456789", rune(text[0])):
		update.Value = &text
	default:
		update.StructuredValue = data
	}
	return update, nil
}

// sameJSON reports whether two documents mean the same. Numbers are compared
// as they are written: a float64 would take two long ones for the same.
func sameJSON(a, b json.RawMessage) bool {
	x, errX := decode(a)
	y, errY := decode(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func decode(data json.RawMessage) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// addProblems adds to updates the message of each problem.
func (a *answer) addProblems(updates []connect.ParamUpdate, problems []processor.ParamError) []connect.ParamUpdate {
	for _, problem := range problems {
		message := problem.Message
		i := slices.IndexFunc(updates, func(u connect.ParamUpdate) bool { return u.ID == problem.ID })
		if i >= 0 {
			updates[i].ValueError = &message
			continue
		}
		update := connect.ParamUpdate{ID: problem.ID, ValueError: &message}
		if current, ok := a.request.Asset.Params.Get(problem.ID); ok && !current.Empty() {
			if current.StructuredValue != nil {
				update.StructuredValue = current.StructuredValue
			} else {
				update.Value = &current.Value
			}
		}
		updates = append(updates, update)
	}
	return updates
}

// withParams returns r with the updates applied, for servers that answer a PUT
// with less than the whole request.
func withParams(r *connect.Request, updates []connect.ParamUpdate) *connect.Request {
	merged := *r
	merged.Asset.Params = slices.Clone(r.Asset.Params)
	for _, u := range updates {
		i := slices.IndexFunc(merged.Asset.Params, func(p connect.Param) bool { return p.ID == u.ID })
		if i < 0 {
			continue
		}
		if u.Value != nil {
			merged.Asset.Params[i].Value = *u.Value
		}
		if u.StructuredValue != nil {
			merged.Asset.Params[i].StructuredValue = u.StructuredValue
		}
	}
	return &merged
}

// requireFulfillmentParams refuses to approve while a required fulfillment
// parameter is empty: Connect would refuse too, in words that differ.
func (a *answer) requireFulfillmentParams() error {
	var missing []string
	for _, p := range a.request.Asset.Params {
		if p.Phase == connect.PhaseFulfillment && p.Constraints.Required && p.Empty() {
			missing = append(missing, p.ID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return processor.Permanent(processor.WithClass(processor.ClassParams,
		fmt.Errorf("approving: required fulfillment parameters are empty: %s; the handler's Approve decision must give them",
			strings.Join(missing, ", "))))
}
