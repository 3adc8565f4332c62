// Package connect is a Go client for the CloudBlue Connect API.
//
//	client, err := connect.New(connect.Config{
//		Endpoint: "https://api.connect.cloudblue.com/public/v1",
//		APIKey:   "SU-000-000-000:secret",
//	})
//	…
//	pending := connect.Query{Filter: connect.And(
//		connect.Eq("status", "pending"),
//		connect.In("asset.product.id", "PRD-100-200-300"),
//	)}
//	for request, err := range client.Requests(ctx, pending) {
//		…
//	}
//
// It covers what a processor of orders needs: fulfillment requests and their
// actions, subscriptions (assets), products, templates and conversations. It
// is written for version 37.0 of the API.
//
// Objects are decoded leniently, since Connect writes the same thing in
// several ways: a quantity is a string, a number or the word "unlimited", an
// empty value is absent, null, "" or {}. What is not decoded is in the Raw
// field of the object.
//
// Errors are of two kinds: *[Error] for a call without a good answer,
// *[DecodeError] for a good answer that cannot be read. After a 2xx an action
// never gives an error: its effect has happened. [TemplateCache] adds
// *[TemplateError] for a product that lacks a template.
//
// What it does not do: it makes each call once, without retries of its own; it
// does not limit its rate, does not log, and follows no redirect to another
// host. Tier configurations, usage files and webhooks are not covered yet. It
// uses the standard library only.
//
// The platform's own pages:
//   - https://connect.cloudblue.com/community/modules/subscriptions/ on
//     subscriptions and their requests
//   - https://connect.cloudblue.com/community/modules/products/parameters/ on
//     parameters and their phases
//   - https://connect.cloudblue.com/community/modules/extensions/api-tokens/ on
//     the key
//   - https://connect.cloudblue.com/community/api/rql/ on the query language
package connect
