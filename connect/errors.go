package connect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Error is a call that Connect did not answer, or answered with other than 2xx,
// or a list that breaks off or is none.
//
// A 400 is usually the caller's fault, or says that the object is no longer in
// the state that the call needs: read it again. A 401 or 403 is the key's. What
// is Temporary may be tried again, an action only after reading the object
// again, since its effect may have happened.
type Error struct {
	Op       string   // what was being done, "approving request PR-…"
	Status   int      // 0 when there was no answer, or half of one
	Code     string   // Connect's own, such as REQ_003
	Messages []string // Connect's own, or the beginning of another answer
	Err      error    // why there was no answer, or why it was not followed

	retryAfter string // the header
	date       string // the answer's own clock
}

// Error returns one line without secrets.
func (e *Error) Error() string {
	if e.Status == 0 {
		return e.Op + ": " + clip(oneLine(fmt.Sprint(e.Err)))
	}
	text := strings.TrimSpace(fmt.Sprintf("%s: %d %s", e.Op, e.Status, http.StatusText(e.Status)))
	if e.Code != "" {
		text += " " + e.Code
	}
	if len(e.Messages) > 0 {
		text += ": " + clip(strings.Join(e.Messages, "; "))
	}
	if e.Err != nil {
		text += ": " + clip(oneLine(e.Err.Error()))
	}
	return text
}

// Unwrap returns why there was no answer, nil when there was one.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same call may succeed later. That includes a
// redirect that was not followed: it says nothing of the object, and a proxy
// that redirects during maintenance stops doing so.
func (e *Error) Temporary() bool {
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.Status < http.StatusBadRequest || e.Status >= http.StatusInternalServerError
}

// maxRetryAfter is the longest wait that is believed.
const maxRetryAfter = 24 * time.Hour

// RetryAfter returns how long Connect asks to wait, up to a day; false when it
// does not ask. A date is measured against the answer's own clock, where it
// has one.
func (e *Error) RetryAfter() (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(e.retryAfter, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	at, err := http.ParseTime(e.retryAfter)
	if err != nil {
		return 0, false
	}
	wait := time.Until(at)
	if from, err := http.ParseTime(e.date); err == nil {
		wait = at.Sub(from)
	}
	return min(max(0, wait), maxRetryAfter), true
}

// StatusOf returns the HTTP status of an *Error in err, 0 when there is none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// DecodeError is an object, or one element of a list, that is not what the API
// promises. A list goes on after it. An action never gives one.
type DecodeError struct {
	Op  string
	ID  string // of the object, where it can be made out
	Raw []byte // as it came, the first 64 KiB; where a list breaks, from there on
	Err error
}

// Error names the object and the fault, not its content.
func (e *DecodeError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("%s: decoding the answer: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s: decoding %s: %v", e.Op, e.ID, e.Err)
}

// Unwrap returns the fault.
func (e *DecodeError) Unwrap() error { return e.Err }

// responseError is the one place that turns an answer into an error. What the
// answer repeats of the secret is left out.
func responseError(op, secret string, r *http.Response) error {
	e := &Error{
		Op: op, Status: r.StatusCode,
		retryAfter: strings.TrimSpace(r.Header.Get("Retry-After")), date: r.Header.Get("Date"),
	}
	// A body that breaks off is good for as far as it goes.
	data, _ := io.ReadAll(io.LimitReader(r.Body, maxError))
	data = bytes.ReplaceAll(data, []byte(secret), []byte("[redacted]"))
	body, err := readObject(data)
	if err != nil {
		if text := clip(oneLine(string(data))); text != "" {
			e.Messages = []string{text}
		}
		return e
	}
	e.Code = clip(oneLine(body.text("error_code")))
	e.Messages = messages(body["errors"])
	if len(e.Messages) == 0 {
		e.Messages = []string{clip(oneLine(string(data)))}
	}
	return e
}

// messages reads a list of texts, one text, or anything else as it stands.
func messages(data json.RawMessage) []string {
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil {
		if len(data) == 0 {
			return nil
		}
		elements = []json.RawMessage{data}
	}
	var texts []string
	for _, element := range elements {
		var text string
		if json.Unmarshal(element, &text) != nil {
			text = string(element)
		}
		if text = clip(oneLine(text)); text != "" && text != "null" {
			texts = append(texts, text)
		}
	}
	return texts
}

// oneLine makes text fit for a log: no line breaks, no control signs.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

// clip keeps error texts readable.
func clip(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
