package config

import (
	"encoding"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shapeOf returns whether a key of the type has keys or elements below it:
// Struct, Map, Slice, a Pointer to one of them, or Invalid when it has none.
func shapeOf(typ reflect.Type) reflect.Kind {
	pointer := reflect.PointerTo(typ)
	if pointer.Implements(reflect.TypeFor[yaml.Unmarshaler]()) || pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return reflect.Invalid
	}
	switch kind := typ.Kind(); kind { //nolint:exhaustive // all others have nothing below them
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Pointer:
		return kind
	default:
		return reflect.Invalid
	}
}

// fields returns the types of a block's keys.
func fields(typ reflect.Type) map[string]reflect.Type {
	types := make(map[string]reflect.Type)
	for field := range typ.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); name != "" {
			types[name] = field.Type
		}
	}
	return types
}

// leaves returns the keys below a key that hold values, itself when there are
// none below it.
func leaves(key string, typ reflect.Type) []string {
	if shapeOf(typ) != reflect.Struct {
		return []string{key}
	}
	var keys []string
	for name, inner := range fields(typ) {
		keys = append(keys, leaves(strings.TrimPrefix(key+"."+name, "."), inner)...)
	}
	return keys
}

// wanted says in words what a key takes.
func wanted(typ reflect.Type) string {
	switch shape := shapeOf(typ); {
	case shape == reflect.Pointer, typ.Kind() == reflect.Pointer:
		return wanted(typ.Elem())
	case shape == reflect.Struct, shape == reflect.Map:
		return "a block of keys"
	case typ.Name() == "Durations":
		return "a list of times with units, such as 5s,15s,1m"
	case typ.Kind() == reflect.Slice:
		return "a list"
	case typ.Name() == "Duration":
		return "a time with a unit, such as 15s"
	case typ.Name() == "Level":
		return "one of debug, info, warn, error"
	case typ.Kind() == reflect.Int:
		return "a whole number"
	case typ.Kind() == reflect.Interface:
		return "a value whose keys are given once each"
	default:
		return "a text"
	}
}
