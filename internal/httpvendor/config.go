// Package httpvendor makes a processor.Vendor out of configuration: any HTTP
// system that carries out an order by a few calls one after the other. It owns
// the mapping from a request to those calls and from their answers to an
// error or a decision.
//
// It refuses to become a language: no conditions but expect, no expressions,
// no arithmetic. The first real "if" is written in Go.
//
// Package config reads the mapping; package app builds the vendors.
package httpvendor

import "time"

// DefaultTimeout bounds a call when Config.Timeout is zero.
const DefaultTimeout = 30 * time.Second

// Config is a vendor's system and how each operation is carried out in it.
// The zero Config is a vendor that offers nothing.
type Config struct {
	// BaseURL is the http(s) address that every path is appended to.
	BaseURL string `yaml:"base_url" env:"BASE_URL"`

	// Timeout bounds one call, reading the answer included. Defaults to
	// DefaultTimeout.
	Timeout time.Duration `yaml:"timeout" env:"TIMEOUT"`

	// Operations by request type: purchase, change, cancel, suspend, resume,
	// adjustment, renew, transfer; and revoke. One that is not named is not
	// offered.
	Operations map[string]Operation `yaml:"operations"`
}

// Operation is how one type of request is carried out.
type Operation struct {
	// Expect, when not nil, is looked at before anything is called.
	Expect *Expect `yaml:"expect,omitempty"`

	// Calls are made in order. When all are done, the request is approved.
	Calls []Call `yaml:"calls"`
}

// Expect is what a request must be like.
type Expect struct {
	// Items is how many items a request may have: at least one, and no more
	// than this. Zero means that nobody counts them.
	Items int `yaml:"items"`

	// ElseFail is the reason that the customer reads when there are more.
	ElseFail string `yaml:"else_fail"`
}

// Call is one HTTP call.
//
// A text in Path and Body may hold placeholders: {params.ID}, {items.0.mpn},
// {request.id} and others (see the package's fields). A value of the body that
// is one placeholder and nothing else keeps its type, so a quantity stays a
// number. {{ and }} stand for braces.
type Call struct {
	// Name identifies the call in what is remembered of a request, and in its
	// idempotency key: never rename one.
	Name string `yaml:"name"`

	Method string `yaml:"method"`
	Path   string `yaml:"path"`           // below BaseURL; values in it are escaped
	Body   any    `yaml:"body,omitempty"` // JSON; none when nil

	Idempotency Idempotency `yaml:"idempotency"`

	// Save names the fulfillment parameters that are taken from the answer,
	// each with a JSON Pointer (RFC 6901) into it.
	//
	// In a purchase, a call of kind key or none is left out when the request
	// already has all of these parameters: what it creates is there.
	Save map[string]string `yaml:"save,omitempty"`

	// Done are statuses that mean success beside 2xx, such as 404 for a
	// deletion.
	Done []int `yaml:"done,omitempty"`
}

// Idempotency says what happens when a call is made twice, which it will be
// after a lost answer or a crash.
type Idempotency string

// The kinds of calls.
const (
	// Key is a call whose Idempotency-Key the vendor honors: the same key
	// has its effect once. What it saved is remembered.
	Key Idempotency = "key"

	// Repeatable is a call that has the same effect however often it is made.
	Repeatable Idempotency = "repeatable"

	// None is a call that must not be made twice. When nobody knows whether it
	// took effect, the request is parked and a person answers.
	None Idempotency = "none"
)
