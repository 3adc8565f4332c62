package httpvendor

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A text is a string with placeholders, in parts.
type text []part

// A part is literal, or a placeholder with what reads its value.
type part struct {
	literal string
	name    string
	read    field // nil for a literal part
}

// parseText reads a text; {{ and }} are braces.
func parseText(s string) (text, error) {
	var parsed text
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			parsed = append(parsed, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for s != "" {
		at := strings.IndexAny(s, "{}")
		if at < 0 {
			literal.WriteString(s)
			break
		}
		literal.WriteString(s[:at])
		brace := s[at]
		s = s[at+1:]
		if s != "" && s[0] == brace {
			literal.WriteByte(brace)
			s = s[1:]
			continue
		}
		name, rest, closed := strings.Cut(s, "}")
		if brace == '}' || !closed {
			return nil, errors.New("a brace has no partner; a literal one is written twice")
		}
		read, known := fieldOf(name)
		if !known {
			return nil, fmt.Errorf("unknown placeholder {%s}; there are %s", name, knownPlaceholders())
		}
		flush()
		parsed = append(parsed, part{name: name, read: read})
		s = rest
	}
	flush()
	return parsed, nil
}

func knownPlaceholders() string {
	return fmt.Sprintf("{params.ID}, {items.N.%s}, {%s}",
		strings.Join(slices.Sorted(maps.Keys(itemFields())), "|"),
		strings.Join(slices.Sorted(maps.Keys(requestFields())), "}, {"))
}

// placeholders returns the names in the text.
func (t text) placeholders() []string {
	var names []string
	for _, p := range t {
		if p.read != nil {
			names = append(names, p.name)
		}
	}
	return names
}

// render fills the text, each value passed through escape.
func (t text) render(v values, escape func(string) string) (string, error) {
	var filled strings.Builder
	for _, p := range t {
		if p.read == nil {
			filled.WriteString(p.literal)
			continue
		}
		found := p.read(v)
		switch {
		case found.json == nil:
			return "", fmt.Errorf("{%s} has no value", p.name)
		case found.text == "":
			return "", fmt.Errorf("{%s} is structured, and cannot be part of a text", p.name)
		}
		filled.WriteString(escape(found.text))
	}
	return filled.String(), nil
}

// renderPath fills a path. Values cannot leave their segment of it.
func (t text) renderPath(v values) (string, error) {
	path, err := t.render(v, url.PathEscape)
	if err != nil {
		return "", err
	}
	if leadsElsewhere(path) {
		return "", fmt.Errorf("the path would be %q, which leads elsewhere", path)
	}
	return path, nil
}

// leadsElsewhere reports whether a segment of the path is . or ..
func leadsElsewhere(path string) bool {
	segments := strings.Split(path, "/")
	return slices.Contains(segments, ".") || slices.Contains(segments, "..")
}

// eachString returns a JSON value with its strings passed through replace.
func eachString[S any](body any, replace func(S) (any, error)) (any, error) {
	switch b := body.(type) {
	case S:
		return replace(b)
	case []any:
		replaced := make([]any, len(b))
		for i := range b {
			var err error
			if replaced[i], err = eachString(b[i], replace); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return replaced, nil
	case map[string]any:
		replaced := make(map[string]any, len(b))
		for _, key := range slices.Sorted(maps.Keys(b)) {
			var err error
			if replaced[key], err = eachString(b[key], replace); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return replaced, nil
	case nil, bool, int, int64, uint64, float64:
		return b, nil
	default:
		return nil, fmt.Errorf("%v has no form in JSON; write it in quotes", b)
	}
}

// parseBody puts a text in place of each string of a JSON value.
func parseBody(body any) (any, error) {
	return eachString(body, func(s string) (any, error) { return parseText(s) })
}

// renderBody fills a parsed body. A text that is one placeholder becomes its
// value with its type.
func renderBody(body any, v values) (any, error) {
	return eachString(body, func(t text) (any, error) {
		if len(t) != 1 || t[0].read == nil {
			return t.render(v, func(s string) string { return s })
		}
		found := t[0].read(v)
		if found.json == nil {
			return nil, fmt.Errorf("{%s} has no value", t[0].name)
		}
		return found.json, nil
	})
}

// bodyPlaceholders returns the names in a parsed body.
func bodyPlaceholders(body any) []string {
	var names []string
	switch b := body.(type) {
	case text:
		names = b.placeholders()
	case []any:
		for _, element := range b {
			names = append(names, bodyPlaceholders(element)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(b)) {
			names = append(names, bodyPlaceholders(b[key])...)
		}
	}
	return names
}
