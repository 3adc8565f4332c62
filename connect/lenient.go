package connect

import (
	"bytes"
	"encoding/json"
	"errors"
)

// object is a JSON object read leniently: absent, null, empty and of a wrong
// type are all the same, so that one odd field never costs a whole request.
type object map[string]json.RawMessage

var errNotObject = errors.New("not a JSON object")

func readObject(data []byte) (object, error) {
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, syntax
		}
		return nil, errNotObject
	}
	if o == nil {
		return nil, errNotObject
	}
	return o, nil
}

// object returns the object under key, an empty one when there is none.
func (o object) object(key string) object {
	inner, err := readObject(o[key])
	if err != nil {
		return nil
	}
	return inner
}

// list returns the objects in the list under key; what is no object is left out.
func (o object) list(key string) []object {
	var elements []json.RawMessage
	if json.Unmarshal(o[key], &elements) != nil {
		return nil
	}
	var list []object
	for _, element := range elements {
		if inner, err := readObject(element); err == nil {
			list = append(list, inner)
		}
	}
	return list
}

// text returns the text, number or truth under key as text, "" for anything
// else. A number keeps the digits that it came with.
func (o object) text(key string) string {
	data := bytes.TrimSpace(o[key])
	if len(data) == 0 {
		return ""
	}
	switch data[0] {
	case '"':
		var s string
		if json.Unmarshal(data, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	default:
		return string(data)
	}
}

// truth returns the boolean under key, also when it is written as text.
func (o object) truth(key string) bool {
	t := o.text(key)
	return t == "true" || t == "True" || t == "1"
}

// ref returns the reference under key: an object, or its ID alone.
func (o object) ref(key string) Ref {
	if id := o.text(key); id != "" {
		return Ref{ID: id}
	}
	inner := o.object(key)
	return Ref{ID: inner.text("id"), Name: inner.text("name")}
}

// structured returns the object or list under key, nil when it is empty.
func (o object) structured(key string) json.RawMessage {
	data := bytes.TrimSpace(o[key])
	if len(data) < 2 || data[0] != '{' && data[0] != '[' {
		return nil
	}
	var compact bytes.Buffer
	if json.Compact(&compact, data) != nil || compact.Len() == len("{}") {
		return nil
	}
	return compact.Bytes()
}
