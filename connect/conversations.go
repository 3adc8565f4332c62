package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
)

// Conversation is the thread of messages that Connect makes for each request.
type Conversation struct {
	ID         string
	InstanceID string // of the request
	Topic      string
	Status     string // open or closed
}

// MessageType says who reads a message.
type MessageType string

// The message types.
const (
	MessagePublic      MessageType = "message" // the partner too
	MessagePrivate     MessageType = "private" // one's own account only
	MessageStateChange MessageType = "state_change"
)

// Message is one message of a conversation.
type Message struct {
	ID      string
	Text    string
	Type    MessageType
	Created Timestamp
}

// NewMessage is a message to be posted.
type NewMessage struct {
	Text string      `json:"text"`
	Type MessageType `json:"type,omitempty"` // Defaults to MessagePublic.
}

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (c *Conversation) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding a conversation: %w", err)
	}
	*c = Conversation{ID: o.text("id"), InstanceID: o.text("instance_id"), Topic: o.text("topic"), Status: o.text("status")}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. It fails only for JSON that is no
// object.
func (m *Message) UnmarshalJSON(data []byte) error {
	o, err := readObject(data)
	if err != nil {
		return fmt.Errorf("decoding a message: %w", err)
	}
	created := cmp.Or(o.text("created"), o.object("events").object("created").text("at"))
	*m = Message{ID: o.text("id"), Text: o.text("text"), Type: MessageType(o.text("type")), Created: Timestamp(created)}
	return nil
}

// Conversation reads the conversation of a request, by the request's ID.
// Conversations cannot be created: one that is missing is an *Error of status
// 404.
func (c *Client) Conversation(ctx context.Context, instanceID string) (*Conversation, error) {
	op := "reading the conversation of " + instanceID
	q := Query{Filter: Eq("instance_id", instanceID)}
	for conversation, err := range list[Conversation](ctx, c, op, "/conversations", q) {
		if _, unreadable := errors.AsType[*DecodeError](err); unreadable {
			continue
		}
		if err != nil {
			return nil, err
		}
		if conversation.InstanceID == instanceID {
			return conversation, nil
		}
	}
	return nil, &Error{Op: op, Status: http.StatusNotFound, Messages: []string{"there is none"}}
}

// Messages lists the messages of a conversation; see Requests for its errors.
func (c *Client) Messages(ctx context.Context, conversationID string, q Query) iter.Seq2[*Message, error] {
	return list[Message](ctx, c, "listing messages of "+conversationID, messagesPath(conversationID), q)
}

// PostMessage writes into a conversation. A closed one refuses it (400).
func (c *Client) PostMessage(ctx context.Context, conversationID string, m NewMessage) (*Message, error) {
	posted := &Message{}
	if err := c.send(ctx, "posting to "+conversationID, http.MethodPost, messagesPath(conversationID), m, posted); err != nil {
		return nil, err
	}
	return posted, nil
}

func messagesPath(conversationID string) string {
	return "/conversations/" + url.PathEscape(conversationID) + "/messages"
}
