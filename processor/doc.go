// Package processor is the contract between Connect Processor and a software
// vendor's code: what a vendor writes, and nothing of how it is run.
//
// A vendor fills a [Vendor] with a [Handler] for each kind of request that its
// products offer. A handler receives a [Task], does what was ordered in the
// vendor's own system, and returns a [Decision]: the answer that the customer
// gets. When it cannot come to an answer it returns an error instead: news for
// the operator, after which the request is tried again. Nothing else decides
// what happens next.
//
// Every request can be delivered more than once: after a crash, a lost answer,
// a restarted Redis. A handler is therefore written as steps that are either
// harmless to repeat or wrapped in [Once] or [AtMostOnce], which remember what
// an earlier attempt already did.
//
// The package performs no I/O and imports the standard library and
// package connect only. Package processor/cli turns a Vendor into a program.
package processor
