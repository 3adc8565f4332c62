package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file reads a YAML text. A key that is unknown, given twice or of the wrong
// type is a fault, and is taken out, so that the rest can be decoded. The
// decoder's own errors are not used: they name Go types instead of keys, and
// quote values, of which some are secrets.
type file struct {
	name   string // empty: it has none
	faults []error
	unread []string     // the keys that were taken out, but for unknown ones
	taken  []*yaml.Node // by <<
}

// unreadable notes a fault of the file as a whole.
func (f *file) unreadable(err error) {
	f.faults = append(f.faults, err)
	f.unread = append(f.unread, leaves("", reflect.TypeFor[Config]())...)
}

func (f *file) decode(data []byte, cfg *Config) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		f.unreadable(f.syntax(err))
		return
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		f.faults = append(f.faults, fmt.Errorf("%s: holds more than one YAML document: keep one, and drop the line ---", f))
	}
	if !f.value("", document.Content[0], reflect.TypeFor[Config]()) {
		f.unread = append(f.unread, leaves("", reflect.TypeFor[Config]())...)
		return
	}
	if err := document.Decode(cfg); err != nil {
		f.unreadable(fmt.Errorf("%s: cannot be read as a configuration; is an alias (*) used within what it stands for?", f))
	}
}

// syntax says why the text is not YAML; the decoder's line is often the one
// before. An alias that nobody has declared is not repeated: it is most likely
// a password with a star.
func (f *file) syntax(err error) error {
	if strings.Contains(err.Error(), "unknown anchor") {
		return fmt.Errorf("%s: a value that begins with * needs quotes around it", f)
	}
	text := strings.Replace(strings.TrimPrefix(err.Error(), "yaml: "), "line ", "near line ", 1)
	return fmt.Errorf("%s: is not YAML: %s; is the indentation right, and is what holds a colon in quotes?", f, text)
}

// String names the file.
func (f *file) String() string {
	if f.name == "" {
		return "configuration"
	}
	return f.name
}

// add notes a fault of a key.
func (f *file) add(key string, node *yaml.Node, text, hint string) {
	place := fmt.Sprintf("line %d", node.Line)
	if f.name != "" {
		place += " of " + f.name
	}
	if key == "" {
		key = f.String()
	}
	if hint != "" {
		hint = "; " + hint
	}
	f.faults = append(f.faults, fmt.Errorf("%s: %s (%s)%s", key, text, place, hint))
}

// value checks what stands under a key, and reports whether a typ can be made
// of it once the faults are taken out.
func (f *file) value(key string, node *yaml.Node, typ reflect.Type) bool {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.ShortTag() == "!!null" {
		return true // the default
	}
	if typ == reflect.TypeFor[Products]() {
		writeOut(node)
	}
	switch shape := shapeOf(typ); {
	case shape == reflect.Pointer:
		return f.value(key, node, typ.Elem())
	case shape == reflect.Struct && node.Kind == yaml.MappingNode:
		f.block(key, node, typ, fields(typ))
	case shape == reflect.Map && node.Kind == yaml.MappingNode:
		f.block(key, node, typ, nil)
	case shape == reflect.Slice && node.Kind == yaml.SequenceNode:
		f.list(key, node, typ.Elem())
	case shape == reflect.Invalid && node.Decode(reflect.New(typ).Interface()) == nil:
	case shape == reflect.Invalid && node.Kind == yaml.ScalarNode && typ.Kind() != reflect.String:
		f.add(key, node, fmt.Sprintf("%q is not %s", node.Value, wanted(typ)), "")
		return false
	default:
		f.add(key, node, "is not "+wanted(typ), "")
		return false
	}
	return true
}

// block checks the keys of a mapping. Without known ones any name will do.
func (f *file) block(key string, node *yaml.Node, typ reflect.Type, known map[string]reflect.Type) {
	lines := make(map[string]int)
	var kept []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		path := strings.TrimPrefix(key+"."+name.Value, ".")
		inner, isKnown := known[name.Value]
		if known == nil {
			inner, isKnown = typ.Elem(), true
		}
		first, twice := lines[name.Value]
		lines[name.Value] = name.Line
		switch {
		case name.ShortTag() == "!!merge":
			f.merged(key, value, typ)
			kept = append(kept, name, value)
		case name.Kind != yaml.ScalarNode:
			f.add(key, name, "has a key that is not a text", "")
		case twice:
			f.add(path, name, fmt.Sprintf("is given a second time, after line %d", first), "")
		case !isKnown:
			f.add(path, name, "is not a known key", "known here: "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case !f.value(path, value, inner):
			f.unread = append(f.unread, leaves(path, inner)...)
		default:
			kept = append(kept, name, value)
		}
	}
	node.Content = kept
}

// merged checks what is taken over from elsewhere by <<, each once: a block
// may even take over itself.
func (f *file) merged(key string, node *yaml.Node, typ reflect.Type) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if slices.Contains(f.taken, node) {
		return
	}
	f.taken = append(f.taken, node)
	if node.Kind != yaml.SequenceNode {
		f.value(key, node, typ)
		return
	}
	for _, element := range node.Content {
		f.merged(key, element, typ)
	}
}

// list checks the elements of a list. A bad one leaves its place empty, so
// that the others keep their numbers.
func (f *file) list(key string, node *yaml.Node, typ reflect.Type) {
	for i, element := range node.Content {
		path := fmt.Sprintf("%s[%d]", key, i)
		good := false
		if element.ShortTag() == "!!null" {
			f.add(path, element, "is empty", "")
		} else {
			good = f.value(path, element, typ)
		}
		if !good {
			f.unread = append(f.unread, leaves(path, typ)...)
			node.Content[i] = nothing(typ, element.Line)
		}
	}
}

// nothing is a node that decodes into a typ with nothing in it.
func nothing(typ reflect.Type, line int) *yaml.Node {
	if shapeOf(typ) == reflect.Struct {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: line}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: line}
}

// writeOut brings the short forms of products into the long one: a text with
// commas becomes a list, and an ID a block.
func writeOut(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		list := yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: node.Line}
		for _, id := range split(node.Value) {
			list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: id, Line: node.Line})
		}
		*node = list
	}
	if node.Kind != yaml.SequenceNode {
		return
	}
	for i, element := range node.Content {
		if element.Kind == yaml.ScalarNode && element.ShortTag() != "!!null" {
			id := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "id", Line: element.Line}
			node.Content[i] = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: element.Line, Content: []*yaml.Node{id, element}}
		}
	}
}
