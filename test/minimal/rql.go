package minimal

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The platform's inferred page sizes.
const (
	defaultPage = 100
	largestPage = 1000
)

var unquotedValue = regexp.MustCompile(`^[\w\-*+\\][\w.\s\-:+@*\\]*$`)

// grammar is what one collection understands.
type grammar struct {
	filters   map[string][]string // allowed values by property; nil allows any
	orderings []string
	selects   bool
	ignored   bool // filters are understood, and not applied
}

type condition struct {
	property string
	values   []string
}

type query struct {
	conditions []condition
	ordering   []string
	hidden     []string
	selected   bool
	limit      int
	offset     int
}

// list answers one page of the rows that the call's query asks for. Filters and
// orderings read the very JSON that is answered.
func (s *Server) list(c *call, g grammar, rows []object) reply {
	q, err := g.parse(c.URL.RawQuery)
	if err != nil {
		return s.fault(c, "VAL_001", err.Error())
	}
	if q.selected && s.options.RefuseSelect {
		return refusal("VAL_001", "select is not supported.")
	}
	if g.ignored {
		q.conditions = nil
	}
	rows = slices.DeleteFunc(rows, func(row object) bool {
		return slices.ContainsFunc(q.conditions, func(c condition) bool {
			return !slices.Contains(c.values, row.text(c.property))
		})
	})
	slices.SortStableFunc(rows, func(a, b object) int {
		for _, term := range q.ordering {
			property, descending := strings.CutPrefix(term, "-")
			order := strings.Compare(a.text(property), b.text(property))
			if descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	total := len(rows)
	if s.options.PageCap > 0 && q.limit > 0 {
		q.limit = s.options.PageCap
	}
	first := min(q.offset, total)
	rows = rows[first:min(first+q.limit, total)]
	for _, row := range rows {
		for _, path := range q.hidden {
			row.hide(path)
		}
	}
	if len(rows) == 0 {
		return reply{status: 200, body: []object{}, total: fmt.Sprintf("items 0-0/%d", total)}
	}
	return reply{status: 200, body: rows, total: fmt.Sprintf("items %d-%d/%d", first, first+len(rows)-1, total)}
}

// parse reads a raw query string. Its error names the first term that the
// collection does not understand.
func (g grammar) parse(raw string) (query, error) {
	q := query{limit: defaultPage}
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return q, fmt.Errorf("unescaping query: %w", err)
	}
	terms, err := split(text, "&,")
	if err != nil {
		return q, err
	}
	for _, term := range terms {
		if term == "" {
			continue
		}
		if err := g.parseTop(&q, term); err != nil {
			return q, err
		}
	}
	return q, nil
}

// parseTop reads a term that is allowed at the top only, or a filter.
func (g grammar) parseTop(q *query, term string) error {
	if name, inner, ok := function(term); ok && (name == "ordering" || name == "select") {
		properties, err := split(inner, ",")
		if err != nil {
			return err
		}
		if name == "select" {
			return g.parseSelect(q, term, properties)
		}
		for _, property := range properties {
			if !slices.Contains(g.orderings, strings.TrimPrefix(property, "-")) {
				return fmt.Errorf("unknown ordering %q", property)
			}
		}
		q.ordering = append(q.ordering, properties...)
		return nil
	}
	name, value, _ := strings.Cut(term, "=")
	if name != "limit" && name != "offset" {
		return g.parseFilter(q, term)
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < 0 {
		return fmt.Errorf("%s is not a count: %q", name, value)
	}
	if name == "limit" {
		q.limit = min(number, largestPage)
	} else {
		q.offset = number
	}
	return nil
}

func (g grammar) parseSelect(q *query, term string, properties []string) error {
	if !g.selects {
		return fmt.Errorf("unknown term %q", term)
	}
	q.selected = true
	for _, property := range properties {
		if hidden, ok := strings.CutPrefix(property, "-"); ok {
			q.hidden = append(q.hidden, hidden)
		}
	}
	return nil
}

// parseFilter reads and(…), eq(p,v), in(p,(v,w)), p=v, p=eq=v and p=in=(v,w).
func (g grammar) parseFilter(q *query, term string) error {
	name, inner, ok := function(term)
	if !ok {
		property, value, found := strings.Cut(term, "=")
		if !found {
			return fmt.Errorf("unknown term %q", term)
		}
		name, inner = "eq", property+","+value
		if operator, operand, found := strings.Cut(value, "="); found {
			name, inner = operator, property+","+operand
		}
	}
	separators := ","
	if name == "and" {
		separators = ",&"
	}
	parts, err := split(inner, separators)
	if err != nil {
		return err
	}
	switch {
	case name == "and":
		for _, part := range parts {
			if err := g.parseFilter(q, part); err != nil {
				return err
			}
		}
		return nil
	case name == "eq" && len(parts) == 2:
		return g.add(q, parts[0], parts[1:])
	case name == "in" && len(parts) == 2 && strings.HasPrefix(parts[1], "(") && strings.HasSuffix(parts[1], ")"):
		values, err := split(parts[1][1:len(parts[1])-1], ",")
		if err != nil {
			return err
		}
		return g.add(q, parts[0], values)
	}
	return fmt.Errorf("unknown term %q", term)
}

func (g grammar) add(q *query, property string, values []string) error {
	allowed, known := g.filters[property]
	if !known {
		return fmt.Errorf("unknown filter %q", property)
	}
	c := condition{property: property}
	for _, value := range values {
		switch {
		case len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]:
			value = value[1 : len(value)-1]
		case !unquotedValue.MatchString(value):
			return fmt.Errorf("value %q of %s needs quotes", value, property)
		}
		if allowed != nil && !slices.Contains(allowed, value) {
			return fmt.Errorf("%q is not one of the choices of %s", value, property)
		}
		c.values = append(c.values, value)
	}
	q.conditions = append(q.conditions, c)
	return nil
}

// function takes name(inner) apart.
func function(term string) (name, inner string, ok bool) {
	name, rest, found := strings.Cut(term, "(")
	if !found || strings.ContainsAny(name, "=\"'") || !strings.HasSuffix(rest, ")") {
		return "", "", false
	}
	return name, rest[:len(rest)-1], true
}

// split cuts at separators that are outside parentheses and quotes.
func split(text, separators string) ([]string, error) {
	var parts []string
	depth, start, quote := 0, 0, rune(0)
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '(':
			depth++
		case r == ')':
			depth--
		case depth == 0 && strings.ContainsRune(separators, r):
			parts = append(parts, text[start:i])
			start = i + 1
		}
		if depth < 0 {
			return nil, errors.New("unbalanced parentheses")
		}
	}
	if depth != 0 || quote != 0 {
		return nil, errors.New("unbalanced parentheses or quotes")
	}
	return append(parts, text[start:]), nil
}
