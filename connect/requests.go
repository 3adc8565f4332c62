package connect

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Reader is the reading half of Client: what a vendor's handler may use.
// Errors are *Error, or *DecodeError for an object that cannot be read; any
// other is the caller's, such as an empty ID or a filter that RQL cannot write.
type Reader interface {
	Request(ctx context.Context, id string) (*Request, error)
	Requests(ctx context.Context, q Query) iter.Seq2[*Request, error]
	Asset(ctx context.Context, id string) (*Asset, error)
	Assets(ctx context.Context, q Query) iter.Seq2[*Asset, error]
	AssetRequests(ctx context.Context, assetID string) iter.Seq2[*Request, error]
	Product(ctx context.Context, id string) (*Product, error)
	Templates(ctx context.Context, productID string, scope TemplateScope, typ TemplateType) ([]Template, error)
	Conversation(ctx context.Context, instanceID string) (*Conversation, error)
	Messages(ctx context.Context, conversationID string, q Query) iter.Seq2[*Message, error]
}

var _ Reader = (*Client)(nil)

func requestPath(id, action string) string {
	path := "/requests/" + url.PathEscape(id)
	if action != "" {
		path += "/" + action
	}
	return path
}

// Request reads a fulfillment request.
func (c *Client) Request(ctx context.Context, id string) (*Request, error) {
	var r Request
	if err := c.get(ctx, "reading request "+id, requestPath(id, ""), id, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// Requests lists fulfillment requests. An element that cannot be decoded is
// yielded as a *DecodeError with a nil request, and the list goes on; any other
// error is yielded once and ends it. Do not answer requests while listing them
// by status: answered ones leave the list, and others are skipped.
func (c *Client) Requests(ctx context.Context, q Query) iter.Seq2[*Request, error] {
	return list[Request](ctx, c, "listing requests", "/requests", q)
}

// RequestUpdate is what the vendor may change in a request. What is nil stays.
type RequestUpdate struct {
	Params []ParamUpdate
	Note   *string
}

// UpdateRequest saves parameter values and errors, and the note. Connect
// refuses it (400) unless the request is pending, a draft, or inquiring with
// the validation capability. Parameters that are not named stay.
func (c *Client) UpdateRequest(ctx context.Context, id string, u RequestUpdate) (*Request, error) {
	type asset struct {
		Params []ParamUpdate `json:"params"`
	}
	body := struct {
		Asset *asset  `json:"asset,omitempty"`
		Note  *string `json:"note,omitempty"`
	}{Note: u.Note}
	if len(u.Params) > 0 {
		body.Asset = &asset{u.Params}
	}
	return c.act(ctx, "updating request "+id, http.MethodPut, id, "", body)
}

// Approval says how a request is approved.
type Approval struct {
	TemplateID    string    // activation template of scope asset
	EffectiveDate time.Time // zero: now
}

// ApproveRequest approves a pending request, for good. Connect refuses it (400)
// in any other status, with a foreign template, and while a required
// fulfillment parameter is empty.
func (c *Client) ApproveRequest(ctx context.Context, id string, a Approval) (*Request, error) {
	body := struct {
		TemplateID    string `json:"template_id,omitempty"`
		EffectiveDate string `json:"effective_date,omitempty"`
	}{a.TemplateID, timestamp(a.EffectiveDate)}
	return c.act(ctx, "approving request "+id, http.MethodPost, id, "approve", body)
}

// FailRequest refuses a request, for good. The customer reads the reason,
// which must not be empty.
func (c *Client) FailRequest(ctx context.Context, id, reason string) (*Request, error) {
	return c.act(ctx, "failing request "+id, http.MethodPost, id, "fail", map[string]string{"reason": reason})
}

// InquireRequest sends a request back to the customer. Connect refuses it (400)
// unless a saved parameter has a value error. The template may be empty.
func (c *Client) InquireRequest(ctx context.Context, id, templateID string) (*Request, error) {
	body := struct {
		TemplateID string `json:"template_id,omitempty"`
	}{templateID}
	return c.act(ctx, "inquiring request "+id, http.MethodPost, id, "inquire", body)
}

// PendRequest returns an inquiring request to pending.
func (c *Client) PendRequest(ctx context.Context, id string) (*Request, error) {
	return c.act(ctx, "pending request "+id, http.MethodPost, id, "pend", nil)
}

// ScheduleRequest promises a request for a date. Connect refuses it (400) for
// products without the capability.
func (c *Client) ScheduleRequest(ctx context.Context, id string, planned time.Time) (*Request, error) {
	return c.act(ctx, "scheduling request "+id, http.MethodPost, id, "schedule",
		map[string]string{"planned_date": timestamp(planned)})
}

// ConfirmRequest revokes a revoking request for good: what was prepared for it
// is undone.
func (c *Client) ConfirmRequest(ctx context.Context, id string) (*Request, error) {
	return c.act(ctx, "confirming request "+id, http.MethodPost, id, "confirm", nil)
}

// act sends a change of a request; a nil body sends none. Its 2xx means that
// the change took effect: when the answer then cannot be read, the request
// returned has its ID only.
func (c *Client) act(ctx context.Context, op, method, id, action string, body any) (*Request, error) {
	r := &Request{}
	if err := c.send(ctx, op, method, requestPath(id, action), body, r); err != nil {
		return nil, err
	}
	if r.ID != id {
		return &Request{ID: id}, nil
	}
	return r, nil
}

// timestamp returns t as Connect reads it, "" for none.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05+00:00")
}
