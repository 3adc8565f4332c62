package connect

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Filter is a condition in RQL, the query language of Connect's lists. The zero
// Filter lets everything through.
//
// A Filter that cannot be written in RQL (a property that is no name, a value
// with both kinds of quotes, nothing to choose from) makes the list that it is
// given to end with an error before anything is sent.
//
// https://connect.cloudblue.com/community/api/rql/
type Filter struct {
	kind  kind
	rql   string   // of a condition
	parts []Filter // of and, or and not
	err   error
}

type kind int

const (
	everything kind = iota
	condition
	conjunction
	disjunction
	negation
)

// Eq matches objects whose property has the value.
func Eq(prop, value string) Filter { return compare("eq", prop, value) }

// Ne matches objects whose property has another value.
func Ne(prop, value string) Filter { return compare("ne", prop, value) }

// Gt matches objects whose property is above the value.
func Gt(prop, value string) Filter { return compare("gt", prop, value) }

// Ge matches objects whose property is the value or above.
func Ge(prop, value string) Filter { return compare("ge", prop, value) }

// Lt matches objects whose property is below the value.
func Lt(prop, value string) Filter { return compare("lt", prop, value) }

// Le matches objects whose property is the value or below.
func Le(prop, value string) Filter { return compare("le", prop, value) }

// Like matches by pattern, in which * stands for anything and \* for itself.
func Like(prop, pattern string) Filter { return compare("like", prop, pattern) }

// ILike is Like without regard to case.
func ILike(prop, pattern string) Filter { return compare("ilike", prop, pattern) }

// In matches objects whose property has one of the values, of which there must
// be at least one.
func In(prop string, values ...string) Filter {
	if len(values) == 0 {
		return Filter{err: fmt.Errorf("%s is to be in an empty list: nothing can match", prop)}
	}
	return member("in", prop, values)
}

// Out matches objects whose property has none of the values.
func Out(prop string, values ...string) Filter {
	if len(values) == 0 {
		return Filter{}
	}
	return member("out", prop, values)
}

// IsNull matches objects without a value for the property.
func IsNull(prop string) Filter { return apply("eq", prop, "null()", nil) }

// IsEmpty matches objects whose property is the empty text.
func IsEmpty(prop string) Filter { return apply("eq", prop, "empty()", nil) }

// And matches what all filters match: everything, when there are none.
func And(filters ...Filter) Filter {
	joined := Filter{kind: conjunction}
	for _, f := range filters {
		joined.err = errors.Join(joined.err, f.err)
		switch f.kind {
		case everything:
		case conjunction:
			joined.parts = append(joined.parts, f.parts...)
		case condition, disjunction, negation:
			joined.parts = append(joined.parts, f)
		}
	}
	return joined.simplified()
}

// Or matches what any of the filters matches. At least one must be given.
func Or(filters ...Filter) Filter {
	if len(filters) == 0 {
		return Filter{err: errors.New("an Or of no filters: nothing can match")}
	}
	joined, all := Filter{kind: disjunction}, false
	for _, f := range filters {
		joined.err = errors.Join(joined.err, f.err)
		switch f.kind {
		case everything:
			all = true
		case disjunction:
			joined.parts = append(joined.parts, f.parts...)
		case condition, conjunction, negation:
			joined.parts = append(joined.parts, f)
		}
	}
	if all {
		return Filter{err: joined.err}
	}
	return joined.simplified()
}

// simplified drops a junction of fewer than two parts, which RQL does not know.
func (f Filter) simplified() Filter {
	switch {
	case f.err != nil || len(f.parts) == 0:
		return Filter{err: f.err}
	case len(f.parts) == 1:
		return f.parts[0]
	}
	return f
}

// Not matches what the filter does not. RQL negates single conditions only, so
// that of an And or Or is written as the Or or And of negations.
func Not(f Filter) Filter {
	if f.err != nil {
		return f
	}
	switch f.kind {
	case condition:
		return Filter{kind: negation, parts: []Filter{f}}
	case negation:
		return f.parts[0]
	case conjunction:
		return Or(negated(f.parts)...)
	case disjunction:
		return And(negated(f.parts)...)
	case everything:
	}
	return Filter{err: errors.New("a Not of everything: nothing can match")}
}

func negated(filters []Filter) []Filter {
	opposite := make([]Filter, len(filters))
	for i, f := range filters {
		opposite[i] = Not(f)
	}
	return opposite
}

// String returns the filter in RQL, not yet encoded for a URL; for one that
// cannot be written, why.
func (f Filter) String() string {
	if f.err != nil {
		return "invalid filter: " + f.err.Error()
	}
	switch f.kind {
	case condition:
		return f.rql
	case conjunction:
		return "and(" + joined(f.parts) + ")"
	case disjunction:
		return "or(" + joined(f.parts) + ")"
	case negation:
		return "not(" + joined(f.parts) + ")"
	case everything:
	}
	return ""
}

func joined(filters []Filter) string {
	texts := make([]string, len(filters))
	for i, f := range filters {
		texts[i] = f.String()
	}
	return strings.Join(texts, ",")
}

func compare(op, prop, value string) Filter {
	quoted, err := quote(value)
	return apply(op, prop, quoted, err)
}

func member(op, prop string, values []string) Filter {
	quoted := make([]string, len(values))
	var faults error
	for i, value := range values {
		text, err := quote(value)
		quoted[i], faults = text, errors.Join(faults, err)
	}
	return apply(op, prop, "("+strings.Join(quoted, ",")+")", faults)
}

func apply(op, prop, operand string, err error) Filter {
	if !property.MatchString(prop) {
		err = errors.Join(fmt.Errorf("%q is no name of a property", prop), err)
	}
	if err != nil {
		return Filter{err: err}
	}
	return Filter{kind: condition, rql: op + "(" + prop + "," + operand + ")"}
}

var (
	property = regexp.MustCompile(`^[a-zA-Z][\w\-.]*$`)

	// bare is what is written without quotes. The grammar takes blanks, too,
	// and letters of all scripts; in quotes they cannot be misunderstood.
	bare = regexp.MustCompile(`^[\w\-*+\\][\w.\-:+@*\\]*$`)
)

// quote returns the value as the grammar reads it. A quoted value ends at the
// next quote of its kind: there is no escape.
func quote(value string) (string, error) {
	switch {
	case value == "t": // the grammar's own word, for a tuple
		return `"t"`, nil
	case bare.MatchString(value):
		return value, nil
	case !strings.Contains(value, `"`):
		return `"` + value + `"`, nil
	case !strings.Contains(value, "'"):
		return "'" + value + "'", nil
	}
	return "", fmt.Errorf("the value %q has both kinds of quotes, and RQL has no way to write it", value)
}
