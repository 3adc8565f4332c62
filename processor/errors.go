package processor

import (
	"context"
	"errors"
	"net"
	"time"
)

// An ErrorClass says whose trouble an error is. The set is closed: the same
// words appear in the logs (error_class) and in what `requests list` shows.
type ErrorClass string

// The error classes.
const (
	ClassConnectUnavailable ErrorClass = "connect_unavailable" // Connect did not answer, or with a 5xx: it is tried again
	ClassConnectRefused     ErrorClass = "connect_refused"     // Connect refused our answer: a person must look
	ClassConnectAuth        ErrorClass = "connect_auth"        // the Connect key is refused: mend connect.api_key or its permissions
	ClassRateLimited        ErrorClass = "rate_limited"        // Connect or the vendor asked to slow down
	ClassVendorUnavailable  ErrorClass = "vendor_unavailable"  // the vendor's system did not answer, or with a 5xx
	ClassVendorRefused      ErrorClass = "vendor_refused"      // the vendor's system refused the call
	ClassVendorAnswer       ErrorClass = "vendor_answer"       // the vendor's answer is not what was agreed
	ClassVendorAuth         ErrorClass = "vendor_auth"         // the vendor's credentials are refused
	ClassTemplate           ErrorClass = "template"            // the product has no such template
	ClassParams             ErrorClass = "params"              // a parameter or item that is needed is missing
	ClassTimeout            ErrorClass = "timeout"             // the handler's time ran out
	ClassInterrupted        ErrorClass = "interrupted"         // stopped by us: shutdown, lost lease, Redis away; costs no attempt
	ClassCrash              ErrorClass = "crash"               // reserved: the worker process died meanwhile
	ClassOutcomeUnknown     ErrorClass = "outcome_unknown"     // an effect may or may not have happened: a person must answer
	ClassTooOld             ErrorClass = "too_old"             // waited for longer than allowed
	ClassGoneAfterEffect    ErrorClass = "gone_after_effect"   // the request vanished after the vendor acted on it
	ClassHeld               ErrorClass = "held"                // reserved: held back by a guard on Fail decisions
	ClassConfiguration      ErrorClass = "configuration"       // the processor's configuration does not fit the request
	ClassDefect             ErrorClass = "defect"              // a handler broke its contract
)

// Permanent marks err as one that trying again cannot cure: the request is
// parked at once and waits for a person.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// RetryAfter asks for the next attempt after d, when d is above 0, instead of
// after the time that the retry schedule gives. It changes nothing else: what
// counts as an attempt without it counts with it.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, d}
}

// NotDone says that the effect which err prevented certainly did not happen:
// the call was never sent, or was turned away at the door. It lets [Once] and
// [AtMostOnce] take back their note that the step was begun, unless an earlier
// attempt left it.
func NotDone(err error) error {
	if err == nil {
		return nil
	}
	return &notDoneError{err}
}

// WithClass says whose trouble err is. Without it an error of a handler counts
// as timeout, vendor_unavailable or, when permanent, vendor_refused.
//
// Attempts that end in [ClassRateLimited], [ClassConnectAuth] or
// [ClassInterrupted] are not spent: the request is tried again without end.
func WithClass(class ErrorClass, err error) error {
	if err == nil {
		return nil
	}
	return &classError{err, class}
}

// IsPermanent reports whether err was marked [Permanent].
func IsPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}

// IsNotDone reports whether err was marked [NotDone].
func IsNotDone(err error) bool {
	_, ok := errors.AsType[*notDoneError](err)
	return ok
}

// RetryDelay returns the delay that a [RetryAfter] in err asks for.
func RetryDelay(err error) (time.Duration, bool) {
	if e, ok := errors.AsType[*retryAfterError](err); ok {
		return e.after, true
	}
	return 0, false
}

// ClassOf returns the class of a handler's error: that of its outermost
// [WithClass], else what the error itself shows.
func ClassOf(err error) ErrorClass {
	if e, ok := errors.AsType[*classError](err); ok {
		return e.class
	}
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), isNet && netErr.Timeout():
		return ClassTimeout
	case IsPermanent(err):
		return ClassVendorRefused
	default:
		return ClassVendorUnavailable
	}
}

type (
	permanentError  struct{ error }
	notDoneError    struct{ error }
	retryAfterError struct {
		error
		after time.Duration
	}
	classError struct {
		error
		class ErrorClass
	}
)

func (e *permanentError) Unwrap() error  { return e.error }
func (e *notDoneError) Unwrap() error    { return e.error }
func (e *retryAfterError) Unwrap() error { return e.error }
func (e *classError) Unwrap() error      { return e.error }
