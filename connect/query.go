package connect

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Query says what a list is to hold.
type Query struct {
	Filter Filter

	// Select hides fields ("-asset.items") or adds hidden ones. It only makes
	// answers smaller: a server that refuses it is asked again without.
	Select []string

	// Ordering sorts by properties, a leading minus downwards.
	Ordering []string

	// PageSize is how many objects to ask for at a time. Defaults to 100, the
	// most is 1000. A server may give fewer.
	PageSize int
}

// Page sizes.
const (
	defaultPageSize = 100
	maxPageSize     = 1000
)

func (q Query) pageSize() int {
	if q.PageSize <= 0 {
		return defaultPageSize
	}
	return min(q.PageSize, maxPageSize)
}

// encode returns the query of a URL for the page that begins at offset. A
// filter's terms are joined by &, which the strictest of servers accept; what
// a value holds is encoded, so that a server may split before it decodes.
func (q Query) encode(offset int) (string, error) {
	selected, selectErr := fields("select", q.Select)
	ordering, orderingErr := fields("ordering", q.Ordering)
	if err := errors.Join(selectErr, q.Filter.err, orderingErr); err != nil {
		return "", err
	}
	parts := selected
	if q.Filter.kind == conjunction {
		for _, f := range q.Filter.parts {
			parts = append(parts, escape(f.String()))
		}
	} else if q.Filter.kind != everything {
		parts = append(parts, escape(q.Filter.String()))
	}
	parts = append(parts, ordering...)
	parts = append(parts, "limit="+strconv.Itoa(q.pageSize()), "offset="+strconv.Itoa(offset))
	return strings.Join(parts, "&"), nil
}

// fields returns the term op(name,-name), none when there are no names.
func fields(op string, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	written := make([]string, len(names))
	for i, name := range names {
		// A plus says what is so without it, and reads as a blank in a URL.
		written[i] = strings.TrimPrefix(name, "+")
		if !property.MatchString(strings.TrimPrefix(written[i], "-")) {
			return nil, fmt.Errorf("%s: %q is no name of a property", op, name)
		}
	}
	return []string{op + "(" + strings.Join(written, ",") + ")"}, nil
}

// escape encodes RQL for a URL and leaves the grammar's own signs as they are.
func escape(rql string) string {
	encoded := strings.ReplaceAll(url.QueryEscape(rql), "+", "%20")
	return strings.NewReplacer("%28", "(", "%29", ")", "%2C", ",", "%2A", "*", "%3A", ":").Replace(encoded)
}
