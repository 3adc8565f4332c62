package emulator

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile query cannot exhaust the stack.
const maxDepth = 64

// A node is one expression of RQL. For and, or and not it has args; for a comparison, a property and values; for
// select and ordering, the names in values.
type node struct {
	op     string
	prop   string
	values []operand
	args   []*node
}

// An operand is a literal, or one of the constants null() and empty().
type operand struct {
	text  string
	unset bool
}

// parseRQL reads a decoded query: terms joined by & or commas. Terms that the official clients send beside filters
// (limit=10, select(…)) come back as nodes like any other; see parseQuery. No terms give an "and" of nothing.
func parseRQL(text string) (*node, error) {
	p := &parser{text: text}
	root := &node{op: "and"}
	for {
		for p.skip("&") || p.skip(",") {
			continue
		}
		if p.done() {
			return root, nil
		}
		n, err := p.primary(0)
		if err != nil {
			return nil, err
		}
		root.args = append(root.args, n)
		if !p.done() && p.peek() != '&' && p.peek() != ',' {
			return nil, p.errorf("expected & or the end")
		}
	}
}

type parser struct {
	text string
	at   int
}

func (p *parser) done() bool { return p.at >= len(p.text) }

func (p *parser) peek() byte {
	if p.done() {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) skip(token string) bool {
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) expect(token string) error {
	if !p.skip(token) {
		return p.errorf("expected %q", token)
	}
	return nil
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("RQL at character %d: %s", p.at, fmt.Sprintf(format, args...))
}

// disjunction is a|b or a;b, which must be in parentheses. It binds weaker than a&b.
func (p *parser) disjunction(depth int) (*node, error) {
	return p.joined("or", "|;", func() (*node, error) {
		return p.joined("and", "&", func() (*node, error) { return p.primary(depth) })
	})
}

func (p *parser) joined(op, separators string, operand func() (*node, error)) (*node, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	joined := &node{op: op, args: []*node{first}}
	for !p.done() && strings.IndexByte(separators, p.peek()) >= 0 {
		p.at++
		next, err := operand()
		if err != nil {
			return nil, err
		}
		joined.args = append(joined.args, next)
	}
	if len(joined.args) == 1 {
		return first, nil
	}
	return joined, nil
}

func (p *parser) primary(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, p.errorf("nested too deeply")
	}
	if p.skip("(") {
		n, err := p.list("and", depth+1)
		if err != nil {
			return nil, err
		}
		if len(n.args) == 1 {
			return n.args[0], nil
		}
		return n, nil
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if p.skip("(") {
		return p.function(name, depth+1)
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	return p.assignment(name)
}

func (p *parser) function(name string, depth int) (*node, error) {
	switch {
	case name == "and" || name == "or":
		return p.list(name, depth)
	case name == "not":
		n, err := p.list(name, depth)
		if err == nil && len(n.args) != 1 {
			err = p.errorf("not takes one expression")
		}
		return n, err
	case name == "select" || name == "ordering":
		return p.names(name)
	case !isComparison(name):
		return nil, p.errorf("unknown operator %q", name)
	}
	prop, err := p.name()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	n, err := p.operands(name, prop)
	if err != nil {
		return nil, err
	}
	return n, p.expect(")")
}

// list reads comma-separated expressions and the closing parenthesis.
func (p *parser) list(op string, depth int) (*node, error) {
	n := &node{op: op}
	for {
		arg, err := p.disjunction(depth)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if !p.skip(",") {
			return n, p.expect(")")
		}
	}
}

// names reads what select and ordering hold: properties with a sign, none at all included.
func (p *parser) names(op string) (*node, error) {
	n := &node{op: op}
	if p.skip(")") {
		return n, nil
	}
	for {
		sign := ""
		if p.skip("-") {
			sign = "-"
		} else {
			p.skip("+")
		}
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, operand{text: sign + name})
		if !p.skip(",") {
			return n, p.expect(")")
		}
	}
}

// assignment reads what follows "prop=": a value, or an operator, another = and a value.
func (p *parser) assignment(prop string) (*node, error) {
	op, rest, ok := strings.Cut(p.text[p.at:], "=")
	if ok && isComparison(op) {
		p.at = len(p.text) - len(rest)
		return p.operands(op, prop)
	}
	return p.operands("eq", prop)
}

func (p *parser) operands(op, prop string) (*node, error) {
	n := &node{op: op, prop: prop}
	if op != "in" && op != "out" {
		value, err := p.operand()
		n.values = []operand{value}
		return n, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	for {
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, value)
		if !p.skip(",") {
			return n, p.expect(")")
		}
	}
}

func (p *parser) operand() (operand, error) {
	if p.skip("null()") || p.skip("empty()") {
		return operand{unset: true}, nil
	}
	if quote := p.peek(); quote == '"' || quote == '\'' {
		text, rest, ok := strings.Cut(p.text[p.at+1:], string(quote))
		if !ok {
			return operand{}, p.errorf("quote without end")
		}
		p.at = len(p.text) - len(rest)
		return operand{text: text}, nil
	}
	start := p.at
	for !p.done() {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if !isWord(r) && !strings.ContainsRune("-*+\\", r) && (p.at == start || !inValue(r)) {
			break
		}
		p.at += size
	}
	if p.at == start {
		return operand{}, p.errorf("expected a value; other characters than these need quotes: letters, digits and _.-:+@*\\")
	}
	return operand{text: p.text[start:p.at]}, nil
}

func (p *parser) name() (string, error) {
	start := p.at
	for !p.done() {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsLetter(r) && (p.at == start || (!isWord(r) && r != '-' && r != '.')) {
			break
		}
		p.at += size
	}
	if p.at == start {
		return "", p.errorf("expected a name")
	}
	return p.text[start:p.at], nil
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
}

func inValue(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(".:@", r) }

func isComparison(name string) bool {
	return slices.Contains([]string{"eq", "ne", "gt", "ge", "lt", "le", "in", "out", "like", "ilike"}, name)
}
