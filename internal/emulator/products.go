package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
)

// A product is kept as the documents it is served as; what the state machines need of it is beside them.
type product struct {
	id, name   string
	doc        map[string]any
	items      []*itemDef
	params     []*paramDef
	templates  []*template
	hold       bool
	schedules  map[string]bool // by request type
	editable   bool            // parameters may be changed while inquiring
	brief      []byte          // as requests and assets carry it
	briefWhole []byte          // the same with its capabilities
}

type itemDef struct {
	id, mpn string
	doc     map[string]any
	fields  []byte // as an asset's item has them, without braces
}

type paramDef struct {
	id, phase, scope string
	required, unique bool
	doc              map[string]any
	fields           []byte // as an asset's parameter has them, without braces
}

type template struct {
	id, name, scope, body string
	doc                   map[string]any
}

// ref is how requests and assets carry a template.
func (t *template) ref() []byte { return mustJSON(map[string]string{"id": t.id, "name": t.name}) }

func (p *product) item(ref string) *itemDef {
	for _, def := range p.items {
		if def.id == ref || def.mpn == ref {
			return def
		}
	}
	return nil
}

func (p *product) template(id string) *template {
	for _, t := range p.templates {
		if t.id == id {
			return t
		}
	}
	return nil
}

// firstTemplate returns the asset's template of a type, if the product has one.
func (p *product) firstTemplate(typ string) *template {
	for _, t := range p.templates {
		if t.scope == "asset" && t.doc["type"] == typ {
			return t
		}
	}
	return nil
}

func (s *Server) productRoutes() []route {
	return []route{
		on("GET", "/products", func(c *call) (reply, *refusal) {
			docs := make([]map[string]any, 0, len(s.state.products))
			for _, p := range s.state.products {
				docs = append(docs, p.doc)
			}
			return s.documents(c, docs, "id", "name", "status")
		}),
		on("GET", "/products/{id}", s.ofProduct(func(_ *call, p *product) (reply, *refusal) {
			return jsonReply(http.StatusOK, p.doc), nil
		})),
		on("GET", "/products/{id}/items", s.ofProduct(func(c *call, p *product) (reply, *refusal) {
			docs := make([]map[string]any, 0, len(p.items))
			for _, def := range p.items {
				docs = append(docs, def.doc)
			}
			return s.documents(c, docs, "id", "mpn", "local_id", "name", "display_name", "type", "item_type", "period",
				"status", "dynamic")
		})),
		on("GET", "/products/{id}/parameters", s.ofProduct(func(c *call, p *product) (reply, *refusal) {
			docs := make([]map[string]any, 0, len(p.params))
			for _, def := range p.params {
				docs = append(docs, def.doc)
			}
			return s.documents(c, docs, "id", "name", "title", "position", "phase", "scope", "type",
				"constraints.required", "constraints.hidden", "constraints.unique", "constraints.reconciliation")
		})),
		on("GET", "/products/{id}/templates", s.ofProduct(func(c *call, p *product) (reply, *refusal) {
			docs := make([]map[string]any, 0, len(p.templates))
			for _, t := range p.templates {
				docs = append(docs, t.doc)
			}
			return s.documents(c, docs, "scope", "type", "name")
		})),
		on("GET", "/products/{id}/templates/{template}", s.ofProduct(func(c *call, p *product) (reply, *refusal) {
			t := p.template(c.args["template"])
			if t == nil {
				return reply{}, notFound("Template does not exist.")
			}
			return jsonReply(http.StatusOK, t.doc), nil
		})),
	}
}

func (s *Server) ofProduct(serve func(*call, *product) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		p := s.state.productByID[c.args["id"]]
		if p == nil {
			return reply{}, notFound("Product does not exist.")
		}
		return serve(c, p)
	}
}

// documents serves a list of whole documents, filtered by the properties named.
func (s *Server) documents(c *call, docs []map[string]any, props ...string) (reply, *refusal) {
	q, refused := s.parseQuery(c.request)
	if refused != nil {
		return reply{}, refused
	}
	lookup := func(name string) (field[map[string]any], bool) {
		f := sortable(func(doc map[string]any) string { return textAt(doc, name) })
		return f, slices.Contains(props, name)
	}
	return page(q, slices.Values(docs), lookup, func(b []byte, doc map[string]any) []byte {
		return append(b, q.shape(mustJSON(doc))...)
	})
}

// mustJSON encodes what was decoded from JSON or built from strings, which cannot fail.
func mustJSON(value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic("emulator: encoding own document: " + err.Error())
	}
	return encoded
}
