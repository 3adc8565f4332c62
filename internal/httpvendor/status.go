package httpvendor

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/connect-processor/connect-processor/processor"
)

// A rule says what a vendor's answer with a status from from to to means.
type rule struct {
	from, to int
	class    processor.ErrorClass // "" when the call is done

	permanent  bool   // trying again cannot cure it
	notDone    bool   // the call was turned away at the door
	retryAfter bool   // the vendor may say when to come again
	hint       string // for the operator
}

// rules are looked at from the first to the last; one of them fits every
// status.
func rules() []rule {
	const mend = "mend the credentials that the vendor expects from us"
	return []rule{
		{from: 200, to: 299},
		{from: 401, to: 401, class: processor.ClassVendorAuth, notDone: true, hint: mend},
		{from: 403, to: 403, class: processor.ClassVendorAuth, notDone: true, hint: mend},
		{from: 408, to: 408, class: processor.ClassVendorUnavailable},
		{from: 425, to: 425, class: processor.ClassVendorUnavailable},
		{from: 429, to: 429, class: processor.ClassRateLimited, notDone: true, retryAfter: true},
		{from: 503, to: 503, class: processor.ClassVendorUnavailable, retryAfter: true},
		{from: 500, to: 599, class: processor.ClassVendorUnavailable},
		{from: 0, to: 999, class: processor.ClassVendorRefused, permanent: true},
	}
}

// ruleFor returns what the status means for a call that counts the statuses
// done as success too.
func ruleFor(status int, done []int) rule {
	all := rules()
	if slices.Contains(done, status) {
		return all[0]
	}
	i := slices.IndexFunc(all, func(r rule) bool { return r.from <= status && status <= r.to })
	return all[max(i, 0)]
}

// mark gives err what the rule says about it.
func (r rule) mark(err error, header http.Header) error {
	if r.permanent {
		err = processor.Permanent(err)
	}
	if r.notDone {
		err = processor.NotDone(err)
	}
	if after, ok := retryAfter(header); ok && r.retryAfter {
		err = processor.RetryAfter(err, after)
	}
	return processor.WithClass(r.class, err)
}

// maxRetryAfter bounds what a vendor may ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After. A date counts from the answer's own Date, so
// that the two clocks need not agree.
func retryAfter(header http.Header) (time.Duration, bool) {
	asked := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(asked, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	until, err := http.ParseTime(asked)
	if err != nil {
		return 0, false
	}
	sent, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return min(max(until.Sub(sent), 0), maxRetryAfter), true
}
