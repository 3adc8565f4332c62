package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A conversation is part of its request: the platform creates one with every request, and nobody else can.
type conversation struct {
	messages []*message
	closed   bool
}

type message struct {
	id, text, typ, created string
}

func (s *Server) conversationRoutes() []route {
	return []route{
		on("GET", "/conversations", s.listConversations),
		on("GET", "/conversations/{id}", s.inConversation(func(_ *call, r *request) (reply, *refusal) {
			return rawReply(http.StatusOK, appendConversation(nil, r)), nil
		})),
		on("POST", "/conversations/{id}/close", s.inConversation(func(_ *call, r *request) (reply, *refusal) {
			r.talk.closed = true
			return rawReply(http.StatusOK, appendConversation(nil, r)), nil
		})),
		on("GET", "/conversations/{id}/messages", s.inConversation(s.listMessages)),
		on("POST", "/conversations/{id}/messages", s.inConversation(s.postMessage)),
	}
}

// inConversation finds the conversation by its ID or by that of the request it belongs to.
func (s *Server) inConversation(serve func(*call, *request) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		r := s.state.conversationOf(c.args["id"])
		if r == nil {
			return reply{}, notFound("Conversation does not exist.")
		}
		return serve(c, r)
	}
}

func (s *state) conversationOf(id string) *request {
	if digits, ok := strings.CutPrefix(id, "CO-"); ok {
		id = "PR-" + digits
	}
	return s.requestByID[id]
}

func (s *Server) listConversations(c *call) (reply, *refusal) {
	q, refused := s.parseQuery(c.request)
	if refused != nil {
		return reply{}, refused
	}
	lookup := func(name string) (field[*request], bool) {
		switch name {
		case "id":
			return text((*request).conversationID), true
		case "instance_id":
			return text(func(r *request) string { return r.id }), true
		case "created", "events.created.at":
			return instant(func(r *request) string { return r.created }), true
		}
		return field[*request]{}, false
	}
	docs := s.state.requests
	for _, prop := range []string{"instance_id", "id"} {
		ids, ok := q.filter.pinned(prop)
		if !ok {
			continue
		}
		docs = nil
		for _, id := range ids {
			if r := s.state.conversationOf(id); r != nil && !slices.Contains(docs, r) {
				docs = append(docs, r)
			}
		}
		slices.SortFunc(docs, bySeq)
		break
	}
	return page(q, slices.Values(docs), lookup, func(b []byte, r *request) []byte {
		return append(b, q.shape(appendConversation(nil, r))...)
	})
}

func appendConversation(b []byte, r *request) []byte {
	w := &writer{buf: append(b, '{')}
	w.text("id", r.conversationID())
	w.text("instance_id", r.id)
	w.text("topic", "Fulfillment request "+r.id)
	w.text("type", "conversation")
	if r.talk.closed {
		w.text("status", "closed")
	} else {
		w.text("status", "open")
	}
	w.raw("accounts", []byte(`[{"id":"`+vendorID+`","name":"Emulated vendor"}]`))
	w.pair("creator", "UR-000-000-000", "Emulated distributor's agent")
	w.text("created", r.created)
	w.events(r.created, r.created)
	return append(w.buf, '}')
}

func (s *Server) listMessages(c *call, r *request) (reply, *refusal) {
	q, refused := s.parseQuery(c.request)
	if refused != nil {
		return reply{}, refused
	}
	lookup := func(name string) (field[*message], bool) {
		switch name {
		case "id":
			return text(func(m *message) string { return m.id }), true
		case "text":
			return text(func(m *message) string { return m.text }), true
		case "type":
			return text(func(m *message) string { return m.typ }), true
		case "created", "events.created.at", "events.updated.at":
			return instant(func(m *message) string { return m.created }), true
		case "events.created.by.id":
			return text(func(*message) string { return serviceUser }), true
		}
		return field[*message]{}, false
	}
	return page(q, slices.Values(r.talk.messages), lookup, func(b []byte, m *message) []byte {
		return append(b, q.shape(appendMessage(nil, r, m))...)
	})
}

const serviceUser = "SU-000-000-001"

func appendMessage(b []byte, r *request, m *message) []byte {
	w := &writer{buf: append(b, '{')}
	w.text("id", m.id)
	w.text("conversation", r.conversationID())
	w.pair("account", vendorID, "Emulated vendor")
	w.text("created", m.created)
	w.pair("creator", serviceUser, "Emulated service user")
	w.text("text", m.text)
	w.text("type", m.typ)
	w.object("events", func() {
		w.object("created", func() {
			w.text("at", m.created)
			w.pair("by", serviceUser, "Emulated service user")
		})
	})
	return append(w.buf, '}')
}

func (s *Server) postMessage(c *call, r *request) (reply, *refusal) {
	body, refused := c.object()
	if refused != nil {
		return reply{}, refused
	}
	m := &message{text: textAt(body, "text"), typ: textAt(body, "type")}
	if m.typ == "" {
		m.typ = "message"
	}
	switch {
	case strings.TrimSpace(m.text) == "":
		return reply{}, invalid("text: This field is required.")
	case !slices.Contains([]string{"message", "private", "state_change"}, m.typ):
		return reply{}, invalid(`type: "` + m.typ + `" is not a valid choice.`)
	case r.talk.closed:
		return reply{}, invalid("The conversation is closed.")
	}
	s.state.messages++
	m.id = fmt.Sprintf("ME-%03d-%03d-%03d", s.state.messages/1_000_000, s.state.messages/1000%1000, s.state.messages%1000)
	m.created = s.clock.stamp()
	r.talk.messages = append(r.talk.messages, m)
	return rawReply(http.StatusCreated, appendMessage(nil, r, m)), nil
}
