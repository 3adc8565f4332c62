package httpvendor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/connect-processor/connect-processor/processor"
)

const (
	keyHeader  = "Idempotency-Key"
	maxAnswer  = 1 << 20 // bytes that are read of an answer
	maxMessage = 200     // characters of an answer that the operator reads
	maxHops    = 5       // redirects within the vendor's own host
)

// A message is a call with its values filled in.
type message struct {
	url  string
	body []byte // nil when there is none
}

// send makes the call and returns what it saves.
func (c call) send(ctx context.Context, client *http.Client, m message, key string) (saves, error) {
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := c.request(bounded, m, key)
	if err != nil {
		return nil, processor.Permanent(processor.WithClass(processor.ClassConfiguration, c.wrap(err)))
	}
	response, err := within(client).Do(request)
	if err != nil {
		return nil, c.unanswered(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // what matters of it has been read
	body, readErr := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if r := ruleFor(response.StatusCode, c.done); r.class != "" {
		return nil, r.mark(c.refusal(response.Status, body, r.hint), response.Header)
	}
	if len(c.save) == 0 {
		return saves{}, nil
	}
	if readErr != nil {
		return nil, c.unanswered(ctx, readErr)
	}
	return c.take(body)
}

func (c call) request(ctx context.Context, m message, key string) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if m.body != nil {
		body = bytes.NewReader(m.body)
	}
	request, err := http.NewRequestWithContext(ctx, c.method, m.url, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if m.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.kind == None {
		// net/http sends a request again by itself when a kept connection
		// breaks and this header is there. It looks for the usual spelling.
		request.Header[strings.ToLower(keyHeader)] = []string{key}
	} else {
		request.Header.Set(keyHeader, key)
	}
	return request, nil
}

// within returns the client with redirects bound to the vendor's own host, and
// to those that leave the method as it is: a POST that becomes a GET would
// look like a success.
func within(client *http.Client) *http.Client {
	bound := http.Client{}
	if client != nil {
		bound = *client
	}
	bound.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		first := before[0]
		if next.Method != first.Method || next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme || len(before) > maxHops {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &bound
}

// take reads from the answer what the call saves.
func (c call) take(body []byte) (saves, error) {
	switch {
	case len(body) > maxAnswer:
		return nil, c.badAnswer(fmt.Errorf("the answer is longer than %d bytes", maxAnswer))
	case !json.Valid(body):
		return nil, c.badAnswer(fmt.Errorf("the answer is not JSON: %q", oneLine(body)))
	}
	taken := make(saves, len(c.save))
	for param, pointer := range c.save {
		found, err := lookUp(body, pointer)
		if err != nil {
			return nil, c.badAnswer(fmt.Errorf("saving parameter %s: %w: %q", param, err, oneLine(body)))
		}
		taken[param] = found
	}
	return taken, nil
}

func (c call) wrap(err error) error {
	return fmt.Errorf("calling the vendor's %s %s (%s): %w", c.method, c.shownPath, c.name, err)
}

func (c call) badAnswer(err error) error {
	return processor.WithClass(processor.ClassVendorAnswer, c.wrap(err))
}

// refusal is the error of an answer that is no success.
func (c call) refusal(status string, body []byte, hint string) error {
	text := status
	if said := oneLine(body); said != "" {
		text += ": " + said
	}
	if hint != "" {
		text += "; " + hint
	}
	return c.wrap(errors.New(text))
}

// unanswered is the error of a call whose answer did not arrive. Unless no
// connection was made, its effect is unknown.
func (c call) unanswered(ctx context.Context, err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // the rest repeats method and address
	}
	wrapped := c.wrap(err)
	if neverSent(err) {
		wrapped = processor.NotDone(wrapped)
	}
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case ctx.Err() != nil, processor.ClassOf(err) == processor.ClassInterrupted:
		return wrapped // not the vendor's doing
	case isNet && netErr.Timeout() && !neverSent(err):
		return processor.WithClass(processor.ClassTimeout, wrapped)
	default:
		return processor.WithClass(processor.ClassVendorUnavailable, wrapped)
	}
}

// neverSent reports whether the connection was never made.
func neverSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, isDNS := errors.AsType[*net.DNSError](err)
	return isDNS
}

// oneLine returns the beginning of a text, fit for a log line.
func oneLine(body []byte) string {
	start := strings.ToValidUTF8(string(body[:min(len(body), 16*maxMessage)]), "")
	line := []rune(strings.Join(strings.Fields(start), " "))
	return string(line[:min(len(line), maxMessage)])
}
