package fulfillment

import (
	"context"
	"errors"
	"fmt"

	"github.com/connect-processor/connect-processor/connect"
)

// maxNote is the length of a note, in runes.
const maxNote = 540

// Note leaves a private message in the request's conversation, for the
// vendor's own staff, unless the same text is there already. A conversation
// that is missing or closed is an error for the log and nothing more.
func (e *Engine) Note(ctx context.Context, requestID, text string) error {
	if runes := []rune(text); len(runes) > maxNote {
		text = string(runes[:maxNote-1]) + "…"
	}
	conversation, err := e.cfg.Conversations.Conversation(ctx, requestID)
	if err != nil {
		return fmt.Errorf("finding the conversation of %s: %w", requestID, err)
	}
	for message, err := range e.cfg.Conversations.Messages(ctx, conversation.ID, connect.Query{}) {
		if _, unreadable := errors.AsType[*connect.DecodeError](err); unreadable {
			continue // not a text of ours
		}
		if err != nil {
			return fmt.Errorf("reading the conversation of %s: %w", requestID, err)
		}
		if message.Text == text {
			return nil
		}
	}
	_, err = e.cfg.Conversations.PostMessage(ctx, conversation.ID,
		connect.NewMessage{Text: text, Type: connect.MessagePrivate})
	if err != nil {
		return fmt.Errorf("writing to the conversation of %s: %w", requestID, err)
	}
	return nil
}

// Updated returns Connect's present "updated" of the request. Its errors are those of
// Requests.Request.
func (e *Engine) Updated(ctx context.Context, requestID string) (connect.Timestamp, error) {
	request, err := e.cfg.Requests.Request(ctx, requestID)
	if err != nil {
		return "", fmt.Errorf("reading %s again: %w", requestID, err)
	}
	return request.Updated, nil
}
