package emulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// textAt returns the value at a dotted path as RQL compares it; "" where there is none.
func textAt(doc map[string]any, path string) string {
	head, rest, nested := strings.Cut(path, ".")
	if nested {
		inner, ok := doc[head].(map[string]any)
		if !ok {
			return ""
		}
		return textAt(inner, rest)
	}
	return plain(doc[head])
}

func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// mergePatch is RFC 7386: null removes, objects merge, all else replaces.
//
// One rule is ours: a field of a document served by the platform is more often null than absent, so that null sets
// null. Breaking documents is what the patch is for.
func mergePatch(doc, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	target, ok := doc.(map[string]any)
	if !ok || target == nil {
		target = map[string]any{}
	}
	for name, value := range changes {
		target[name] = mergePatch(target[name], value)
	}
	return target
}

// remove deletes what a dotted path leads to, through lists.
func remove(doc any, path string) {
	switch v := doc.(type) {
	case []any:
		for _, element := range v {
			remove(element, path)
		}
	case map[string]any:
		head, rest, nested := strings.Cut(path, ".")
		if nested {
			remove(v[head], rest)
		} else {
			delete(v, head)
		}
	}
}

// shape applies what a select hides to an encoded document.
func (q *query) shape(encoded []byte) []byte {
	if len(q.hidden) == 0 {
		return encoded
	}
	doc, err := decode(encoded)
	if err != nil {
		return encoded
	}
	for path := range q.hidden {
		remove(doc, path)
	}
	return mustJSON(doc)
}

// A writer appends a JSON object field by field, and leaves out what a select hides. It exists because a page of a
// thousand requests is listed often: reflection would cost ten times as much.
type writer struct {
	buf    []byte
	prefix string
	hidden map[string]bool
}

// key starts a field, unless it is hidden.
func (w *writer) key(name string) bool {
	if len(w.hidden) > 0 && w.hidden[w.prefix+name] {
		return false
	}
	if last := w.buf[len(w.buf)-1]; last != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
	return true
}

func (w *writer) text(name, value string) {
	if w.key(name) {
		w.buf = appendText(w.buf, value)
	}
}

// optional writes null for what is not set.
func (w *writer) optional(name, value string) {
	if value == "" {
		w.raw(name, []byte("null"))
		return
	}
	w.text(name, value)
}

func (w *writer) raw(name string, value []byte) {
	if w.key(name) {
		w.buf = append(w.buf, value...)
	}
}

func (w *writer) object(name string, fields func()) {
	if !w.key(name) {
		return
	}
	outer := w.prefix
	w.prefix += name + "."
	w.buf = append(w.buf, '{')
	fields()
	w.buf = append(w.buf, '}')
	w.prefix = outer
}

// pair writes the {id, name} by which documents refer to each other.
func (w *writer) pair(name, id, label string) {
	w.object(name, func() {
		w.text("id", id)
		w.text("name", label)
	})
}

func appendText(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, err := json.Marshal(value)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, encoded...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}
