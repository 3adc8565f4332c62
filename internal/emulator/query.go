package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const defaultLimit = 100

// A query is what a list or an object was asked with: which ones, in what order, which part, which fields.
type query struct {
	filter   *node
	ordering []string
	hidden   map[string]bool
	shown    map[string]bool
	limit    int
	offset   int
}

func (s *Server) parseQuery(r *http.Request) (*query, *refusal) {
	// The whole query is decoded before it is parsed, as the platform's own parser does: a plus sign stays one, and
	// what would be read as grammar must be quoted even where it is percent-encoded.
	text, err := url.PathUnescape(r.URL.RawQuery)
	if err != nil {
		return nil, invalid(err.Error())
	}
	root, err := parseRQL(text)
	if err != nil {
		return nil, invalid(err.Error())
	}
	q := &query{filter: &node{op: "and"}, limit: defaultLimit, hidden: map[string]bool{}, shown: map[string]bool{}}
	for _, term := range root.args {
		if refused := q.take(term); refused != nil {
			return nil, refused
		}
	}
	q.limit = min(q.limit, s.pageCap)
	return q, nil
}

func (q *query) take(term *node) *refusal {
	switch {
	case term.op == "ordering":
		for _, name := range term.values {
			q.ordering = append(q.ordering, name.text)
		}
	case term.op == "select":
		for _, name := range term.values {
			if path, ok := strings.CutPrefix(name.text, "-"); ok {
				q.hidden[path] = true
			} else {
				q.shown[name.text] = true
			}
		}
	case term.op == "eq" && term.prop == "limit":
		return number(term, &q.limit)
	case term.op == "eq" && term.prop == "offset":
		return number(term, &q.offset)
	case term.op == "eq" && term.prop == "search":
	default:
		q.filter.args = append(q.filter.args, term)
	}
	return nil
}

func number(term *node, into *int) *refusal {
	n, err := strconv.Atoi(term.values[0].text)
	if err != nil || n < 0 {
		return invalid(term.prop + ": A valid integer is required.")
	}
	*into = n
	return nil
}

// pinned returns the values that prop must have for anything to pass: an index is asked instead of everything.
func (n *node) pinned(prop string) ([]string, bool) {
	switch {
	case n.op == "and":
		for _, arg := range n.args {
			if values, ok := arg.pinned(prop); ok {
				return values, true
			}
		}
	case (n.op == "eq" || n.op == "in") && strings.ReplaceAll(n.prop, "__", ".") == prop:
		values := make([]string, 0, len(n.values))
		for _, v := range n.values {
			if v.unset {
				return nil, false
			}
			values = append(values, v.text)
		}
		slices.Sort(values)
		return slices.Compact(values), true
	}
	return nil, false
}
