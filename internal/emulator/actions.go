package emulator

import (
	"slices"
	"strings"
)

// An effect changes a request that is in one of the right statuses, or refuses to.
type effect func(s *state, r *request, body map[string]any) *refusal

// action serves POST /requests/{id}/<name>: the request as it is afterwards.
func (s *Server) action(name string, do effect) func(*call) (reply, *refusal) {
	return s.ofRequest(func(c *call, r *request) (reply, *refusal) {
		body, refused := c.object()
		if refused != nil {
			return reply{}, refused
		}
		if refused := do(s.state, r, body); refused != nil {
			return reply{}, refused
		}
		s.counted.decided(r.id, name)
		return s.serveRequest(c, r)
	})
}

func (r *request) must(name string, statuses ...string) *refusal {
	if slices.Contains(statuses, r.status) {
		return nil
	}
	return wrongState("Only requests in status " + strings.Join(statuses, ", ") + " can be affected by " + name +
		"; this one is " + r.status + ".")
}

// acted assigns whoever acts on a request that nobody has taken, as the platform does.
func (r *request) acted() {
	if r.assignee == nil {
		r.assignee = &user{ID: "UR-000-000-001", Name: "Emulated vendor's agent", Email: "agent@example.com"}
	}
}

func approve(s *state, r *request, body map[string]any) *refusal {
	if refused := r.must("approve", statusPending); refused != nil {
		return refused
	}
	chosen, refused := chooseTemplate(r, body)
	if refused != nil {
		return refused
	}
	tile := textAt(body, "activation_tile")
	if chosen == nil && tile == "" {
		return invalid("template_id: This field is required, or activation_tile.")
	}
	effective, refused := date(body, "effective_date")
	if refused != nil {
		return refused
	}
	if _, refused := date(body, "asset.billing.next_date"); refused != nil {
		return refused
	}
	if missing := missingFulfillment(r); len(missing) > 0 {
		return invalid(missing...)
	}
	r.acted()
	r.template, r.activationKey = chosen, tile
	if chosen != nil {
		r.activationKey = chosen.body
	}
	s.moveTo(r, statusApproved)
	r.effective = effective
	if effective == "" {
		r.effective = r.updated
	}
	s.settle(r)
	return nil
}

// settle makes an approved request's outcome the asset's.
func (s *state) settle(r *request) {
	a := r.asset
	given := a.params
	a.params = slices.Clone(r.params)
	s.release(a, given)
	a.items = slices.Clone(r.items)
	a.template = r.template
	a.approved = r.id
	a.updated = r.updated
	switch r.typ {
	case typePurchase, typeResume:
		a.status = assetActive
	case typeSuspend:
		a.status = assetSuspended
	case typeCancel:
		a.status = assetTerminated
	default:
		a.status = r.assetBefore
	}
}

// undo leaves the asset as it was before a request that failed or was revoked.
func (s *state) undo(r *request) {
	a := r.asset
	a.status = r.assetBefore
	if r.typ == typePurchase {
		a.status = assetTerminated
	}
	a.updated = r.updated
	s.release(a, r.params)
}

func fail(s *state, r *request, body map[string]any) *refusal {
	if refused := r.must("fail", statusPending, statusInquiring); refused != nil {
		return refused
	}
	reason := strings.TrimSpace(textAt(body, "reason"))
	if reason == "" {
		missing := invalid("Missed fields: reason.")
		missing.code = codeMissingReason
		return missing
	}
	r.acted()
	r.reason = reason
	s.moveTo(r, statusFailed)
	s.undo(r)
	return nil
}

func inquire(s *state, r *request, body map[string]any) *refusal {
	if refused := r.must("inquire", statusPending); refused != nil {
		return refused
	}
	if !slices.ContainsFunc(r.params, param.wrong) {
		return wrongState("At least one parameter must be marked as invalid (value_error) to inquire.")
	}
	chosen, refused := chooseTemplate(r, body)
	if refused != nil {
		return refused
	}
	if chosen == nil {
		chosen = r.asset.product.firstTemplate("inquire")
	}
	r.acted()
	r.template, r.activationKey = chosen, textAt(body, "activation_tile")
	s.toInquiring(r)
	return nil
}

func (s *state) toInquiring(r *request) {
	r.answered = false
	r.formURL = "https://connect.example.com/forms/" + r.id
	s.moveTo(r, statusInquiring)
}

// pend brings a request back into work: an inquiry ends, or a scheduled one is due.
func pend(s *state, r *request, _ map[string]any) *refusal {
	if refused := r.must("pend", statusInquiring, statusScheduled); refused != nil {
		return refused
	}
	s.toPending(r)
	return nil
}

func (s *state) toPending(r *request) {
	r.formURL = ""
	r.template = r.asset.product.firstTemplate("pending")
	s.moveTo(r, statusPending)
}

func schedule(s *state, r *request, body map[string]any) *refusal {
	if refused := r.must("schedule", statusPending); refused != nil {
		return refused
	}
	if !r.asset.product.schedules[r.typ] {
		return wrongState("The product does not offer scheduling of " + r.typ + " requests.")
	}
	planned, refused := date(body, "planned_date")
	if refused != nil {
		return refused
	}
	if planned == "" {
		return invalid("planned_date: This field is required.")
	}
	r.acted()
	r.planned = planned
	s.moveTo(r, statusScheduled)
	return nil
}

func revoke(s *state, r *request, body map[string]any) *refusal {
	if refused := r.must("revoke", statusScheduled); refused != nil {
		return refused
	}
	r.reason = textAt(body, "reason")
	s.moveTo(r, statusRevoking)
	return nil
}

func confirm(s *state, r *request, _ map[string]any) *refusal {
	if refused := r.must("confirm", statusRevoking); refused != nil {
		return refused
	}
	r.acted()
	s.moveTo(r, statusRevoked)
	s.undo(r)
	return nil
}

// purchase is the distributor's: a draft becomes an order.
func purchase(s *state, r *request, _ map[string]any) *refusal {
	if refused := r.must("purchase", statusDraft); refused != nil {
		return refused
	}
	r.asset.status = assetProcessing
	s.begin(r)
	return nil
}

func assign(s *state, r *request, body map[string]any) *refusal {
	id, email := textAt(body, "id"), textAt(body, "email")
	if (id == "") == (email == "") {
		return invalid("Exactly one of id and email is required.")
	}
	if r.ended() {
		return wrongState("A request that has ended cannot be assigned.")
	}
	r.assignee = &user{ID: id, Name: id + email, Email: email}
	s.touch(r)
	return nil
}

func unassign(s *state, r *request, _ map[string]any) *refusal {
	if r.ended() {
		return wrongState("A request that has ended cannot be unassigned.")
	}
	r.assignee = nil
	s.touch(r)
	return nil
}

// chooseTemplate finds the template that an action names; nil when it names none. Its type is not looked at: official
// code approves with the pending template, so the platform doesn't either.
func chooseTemplate(r *request, body map[string]any) (*template, *refusal) {
	id := textAt(body, "template_id")
	if id == "" {
		return nil, nil
	}
	chosen := r.asset.product.template(id)
	switch {
	case chosen == nil:
		return nil, invalid("template_id: Template " + id + " does not exist in product " + r.asset.product.id + ".")
	case chosen.scope != "asset":
		return nil, invalid("template_id: Template " + id + " has scope " + chosen.scope + ", expected asset.")
	}
	return chosen, nil
}

// date reads an optional date with time, and returns it as it is kept.
func date(body map[string]any, path string) (string, *refusal) {
	value := textAt(body, path)
	if value == "" {
		return "", nil
	}
	t, ok := parseTime(value)
	if !ok {
		return "", invalid(path + ": Datetime has wrong format. Use ISO 8601 with time.")
	}
	return t.Format(stampLayout), nil
}

func allTypes() []string {
	return []string{
		typePurchase, typeChange, typeSuspend, typeResume, typeCancel, typeAdjustment, typeRenew, typeTransfer,
	}
}
