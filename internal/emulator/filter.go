package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is a property that documents of one kind can be filtered and ordered by. An unset value is "".
type field[T any] struct {
	one      func(T) string
	many     func(T) []string // instead of one, for what sits in a list
	kind     kind
	sortable bool
}

// A kind says how literals of a field are brought into the form in which its values compare as text.
type kind int

const (
	textual kind = iota
	moment
	numeric
)

func text[T any](one func(T) string) field[T]     { return field[T]{one: one} }
func sortable[T any](one func(T) string) field[T] { return field[T]{one: one, sortable: true} }
func instant[T any](one func(T) string) field[T] {
	return field[T]{one: one, kind: moment, sortable: true}
}
func list[T any](many func(T) []string) field[T] { return field[T]{many: many} }

func (k kind) normal(literal string) (string, error) {
	switch k {
	case moment:
		if day, err := time.Parse(time.DateOnly, literal); err == nil {
			return day.Format(stampLayout), nil
		}
		t, ok := parseTime(literal)
		if !ok {
			return "", fmt.Errorf("%q is no ISO 8601 date", literal)
		}
		return t.Format(stampLayout), nil
	case numeric:
		n, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			return "", fmt.Errorf("%q is no number", literal)
		}
		return sortableNumber(n), nil
	case textual:
	}
	return literal, nil
}

func sortableNumber(n float64) string { return fmt.Sprintf("%020.6f", n) }

// compile turns a filter into a predicate. lookup knows the properties there are; another one is an error.
func compile[T any](n *node, lookup func(string) (field[T], bool)) (func(T) bool, error) {
	switch n.op {
	case "and", "or", "not":
		return compileLogic(n, lookup)
	case "select", "ordering":
		return nil, fmt.Errorf("%s is no filter", n.op)
	}
	f, ok := lookup(strings.ReplaceAll(n.prop, "__", "."))
	if !ok {
		return nil, fmt.Errorf("%s: unknown filter", n.prop)
	}
	test, negated, err := comparison(n, f.kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.prop, err)
	}
	if f.one != nil {
		return func(doc T) bool { return test(f.one(doc)) != negated }, nil
	}
	return func(doc T) bool {
		values := f.many(doc)
		if len(values) == 0 {
			return test("") != negated
		}
		return slices.ContainsFunc(values, test) != negated
	}, nil
}

func compileLogic[T any](n *node, lookup func(string) (field[T], bool)) (func(T) bool, error) {
	tests := make([]func(T) bool, 0, len(n.args))
	for _, arg := range n.args {
		test, err := compile(arg, lookup)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	// "and" looks for a test that fails, "or" for one that passes, "not" is "and" turned round.
	return func(doc T) bool {
		for _, test := range tests {
			if test(doc) == (n.op == "or") {
				return n.op != "and"
			}
		}
		return n.op == "and"
	}, nil
}

// comparison returns a test of one value, and whether its outcome is turned round: ne and out hold where no value
// of a list matches, not where one differs.
func comparison(n *node, k kind) (test func(string) bool, negated bool, err error) {
	wanted := make([]string, 0, len(n.values))
	for _, v := range n.values {
		literal := v.text
		if n.op != "like" && n.op != "ilike" && !v.unset {
			if literal, err = k.normal(literal); err != nil {
				return nil, false, err
			}
		}
		wanted = append(wanted, literal)
	}
	first := wanted[0]
	order := func(accept func(int) bool) func(string) bool {
		return func(value string) bool { return value != "" && accept(cmp.Compare(value, first)) }
	}
	switch n.op {
	case "eq", "ne":
		return func(value string) bool { return value == first }, n.op == "ne", nil
	case "in", "out":
		if len(wanted) == 1 {
			return func(value string) bool { return value == first }, n.op == "out", nil
		}
		set := make(map[string]bool, len(wanted))
		for _, value := range wanted {
			set[value] = true
		}
		return func(value string) bool { return set[value] }, n.op == "out", nil
	case "gt":
		return order(func(c int) bool { return c > 0 }), false, nil
	case "ge":
		return order(func(c int) bool { return c >= 0 }), false, nil
	case "lt":
		return order(func(c int) bool { return c < 0 }), false, nil
	case "le":
		return order(func(c int) bool { return c <= 0 }), false, nil
	case "like":
		return func(value string) bool { return wildcard(first, value) }, false, nil
	case "ilike":
		lower := strings.ToLower(first)
		return func(value string) bool { return wildcard(lower, strings.ToLower(value)) }, false, nil
	}
	return nil, false, fmt.Errorf("unknown operator %q", n.op)
}

// wildcard matches a pattern in which * stands for anything and \* for a star. It goes back to the last star only,
// so its time is bounded by the product of the lengths.
func wildcard(pattern, value string) bool {
	star, resume := -1, 0
	p, v := 0, 0
	for v < len(value) {
		literal, width := p, 1
		if strings.HasPrefix(pattern[p:], `\*`) {
			literal, width = p+1, 2
		}
		switch {
		case p < len(pattern) && width == 1 && pattern[p] == '*':
			star, resume = p, v
			p++
		case literal < len(pattern) && pattern[literal] == value[v]:
			p += width
			v++
		case star >= 0:
			resume++
			p, v = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
