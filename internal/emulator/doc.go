// Package emulator is a local CloudBlue Connect and a vendor's system behind one http.Handler: for the demo, for tests,
// and for trying a processor with no account. All is kept in memory and gone with the process.
//
// What it emulates, written from the platform's OpenAPI document (version 37.0) and public descriptions:
//
//   - Connect under /public/v1: fulfillment requests with all their types, states and actions, assets, products with
//     items, parameters and templates, conversations with messages; RQL filters, ordering and select; paging by
//     limit, offset and Content-Range; the error bodies and codes that official clients were seen to receive.
//   - A vendor under /vendor: tenants with licences, and idempotency keys on creation.
//   - The other side and the weather under /_emulator: a distributor who orders, answers and revokes; faults on
//     demand; broken documents; counters of what arrived and what took effect.
//
// What it does not emulate: tier configurations (a request never waits in tiers_setup), usage files, billing,
// webhooks and dynamic validation, accounts, contracts and marketplaces as objects, permissions per module, `search`,
// ETags (Connect has none either). A planned date never comes by itself. Conversations hold only what was posted.
// Every RQL operator is allowed on every property it knows; Connect allows fewer. Templates can also be filtered by
// name, which the specification does not list, because the Python template asks for it. An unknown property is
// refused, which nobody has confirmed of Connect.
//
// It shares no type with the client and imports only the standard library: a fake made of the client's own structs
// would agree with the client's mistakes.
package emulator
