package minimal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ProductID is the one product whose requests the server has, TemplateName and
// TemplateID its activation template's. Templates of other scopes and types
// have the same name, and ForeignTemplateID is another product's.
const (
	ProductID         = "PRD-100-200-300"
	TemplateName      = "Default Activation Template"
	TemplateID        = "TL-100-200-303"
	ForeignTemplateID = "TL-900-900-901"

	foreignProductID = "PRD-900-900-900"
)

type template struct{ id, product, name, scope, kind string }

// templates lists the wanted one late, so that a caller who takes the first of
// its name takes a wrong one.
func templates() []template {
	return []template{
		{"TL-100-200-301", ProductID, TemplateName, "tier1", "fulfillment"},
		{"TL-100-200-302", ProductID, TemplateName, "asset", "inquire"},
		{TemplateID, ProductID, TemplateName, "asset", "fulfillment"},
		{"TL-100-200-304", ProductID, TemplateName, "asset", ""},
		{"TL-100-200-305", ProductID, "Pending", "asset", "pending"},
		{ForeignTemplateID, foreignProductID, TemplateName, "asset", "fulfillment"},
	}
}

// ownTemplate finds a template of the product; the zero template means none.
func ownTemplate(id string) template {
	for _, t := range templates() {
		if t.id == id && t.product == ProductID {
			return t
		}
	}
	return template{}
}

type conversation struct {
	id, instance string
	created      time.Time
	messages     []object
}

func (s *Server) getProduct(c *call) reply {
	id := c.PathValue("id")
	if id != ProductID && id != foreignProductID {
		return notFound()
	}
	return ok(object{
		"id": id, "name": "Example", "status": "published", "version": 1,
		"capabilities": object{"subscription": object{"hold": true}},
	})
}

func (s *Server) listTemplates(c *call) reply {
	id := c.PathValue("id")
	if id != ProductID && id != foreignProductID {
		return notFound()
	}
	list := []object{}
	for position, t := range templates() {
		if t.product != id {
			continue
		}
		row := object{"id": t.id, "title": t.name, "name": t.name, "body": "# Ready", "scope": t.scope, "type": t.kind, "position": position}
		if t.kind == "" {
			row["type"] = nil
		}
		list = append(list, row)
	}
	return s.list(c, grammar{
		filters: map[string][]string{
			"scope": {"asset", "tier1", "tier2"},
			"type":  {"inquire", "fulfillment", "pending"},
		},
		ignored: s.options.IgnoreTemplateFilter,
	}, list)
}

func (s *Server) listConversations(c *call) reply {
	list := []object{}
	for _, talk := range s.conversations {
		list = append(list, talk.json())
	}
	return s.list(c, grammar{filters: map[string][]string{"instance_id": nil}, orderings: []string{"created"}}, list)
}

func (t *conversation) json() object {
	return object{"id": t.id, "instance_id": t.instance, "topic": t.instance, "created": date(t.created)}
}

// onConversation hands a call the conversation that its path names.
func (s *Server) onConversation(handler func(*call, *conversation) reply) func(*call) reply {
	return func(c *call) reply {
		for _, talk := range s.conversations {
			if talk.id == c.PathValue("id") {
				return handler(c, talk)
			}
		}
		return notFound()
	}
}

func (s *Server) getConversation(_ *call, talk *conversation) reply { return ok(talk.json()) }

func (s *Server) listMessages(c *call, talk *conversation) reply {
	return s.list(c, grammar{orderings: []string{"created"}}, slices.Clone(talk.messages))
}

func (s *Server) postMessage(c *call, talk *conversation) reply {
	var body struct {
		Text string `json:"text"`
		Type string `json:"type"`
	}
	if bad := s.decode(c, &body); bad.status != 0 {
		return bad
	}
	if strings.TrimSpace(body.Text) == "" {
		return s.fault(c, "VAL_001", "text: This field is required.")
	}
	message := object{
		"id": fmt.Sprintf("ME-%s-%03d", talk.id[3:], len(talk.messages)+1), "conversation": talk.id,
		"text": body.Text, "type": "message", "created": date(s.options.Now()),
	}
	talk.messages = append(talk.messages, message)
	return reply{status: 201, body: message}
}
