package emulator

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// page serves the part of docs that q asks for. docs come in the collection's own order, which is that of creation;
// render appends one document. The body is joined by hand: an element may be a broken one on purpose.
func page[T any](
	q *query, docs iter.Seq[T], lookup func(string) (field[T], bool), render func([]byte, T) []byte,
) (reply, *refusal) {
	passes, err := compile(q.filter, lookup)
	if err != nil {
		return reply{}, invalid(err.Error())
	}
	order, refused := ordering(q.ordering, lookup)
	if refused != nil {
		return reply{}, refused
	}
	var found []T
	for doc := range docs {
		if passes(doc) {
			found = append(found, doc)
		}
	}
	if order != nil && !slices.IsSortedFunc(found, order) {
		slices.SortStableFunc(found, order)
	}
	total := len(found)
	first := min(q.offset, total)
	window := found[first:min(first+q.limit, total)]

	body := []byte{'['}
	for i, doc := range window {
		if i > 0 {
			body = append(body, ',')
		}
		body = render(body, doc)
	}
	answer := rawReply(http.StatusOK, append(body, ']'))
	answer.header = map[string]string{"Content-Range": contentRange(first, len(window), total)}
	return answer, nil
}

func contentRange(first, length, total int) string {
	last := first + length - 1
	if length == 0 {
		first, last = 0, 0
	}
	return "items " + strconv.Itoa(first) + "-" + strconv.Itoa(last) + "/" + strconv.Itoa(total)
}

func ordering[T any](names []string, lookup func(string) (field[T], bool)) (func(a, b T) int, *refusal) {
	if len(names) == 0 {
		return nil, nil
	}
	type key struct {
		value   func(T) string
		descend bool
	}
	keys := make([]key, 0, len(names))
	for _, name := range names {
		bare, descend := strings.CutPrefix(name, "-")
		f, ok := lookup(strings.ReplaceAll(bare, "__", "."))
		if !ok || !f.sortable {
			return nil, invalid("ordering: " + bare + ": unknown ordering")
		}
		keys = append(keys, key{value: f.one, descend: descend})
	}
	return func(a, b T) int {
		for _, k := range keys {
			c := strings.Compare(k.value(a), k.value(b))
			if k.descend {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}, nil
}
