package httpvendor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// pointerSyntax is RFC 6901 without the empty pointer: a whole answer is no
// parameter's value.
var pointerSyntax = regexp.MustCompile(`^(/([^~]|~[01])*)+$`)

// lookUp returns what the JSON Pointer names. The error is of a pointer that
// leads nowhere, or to null or "".
func lookUp(document json.RawMessage, pointer string) (json.RawMessage, error) {
	found := document
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		var ok bool
		if found, ok = member(found, token); !ok {
			return nil, fmt.Errorf("the answer has nothing at %q", pointer)
		}
	}
	if s := string(found); s == "null" || s == `""` {
		return nil, fmt.Errorf("the answer has nothing at %q", pointer)
	}
	return found, nil
}

func member(document json.RawMessage, token string) (json.RawMessage, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(document, &object) == nil {
		found, ok := object[token]
		return found, ok
	}
	var list []json.RawMessage
	index, err := strconv.Atoi(token)
	if err != nil || json.Unmarshal(document, &list) != nil || index < 0 || index >= len(list) || strconv.Itoa(index) != token {
		return nil, false
	}
	return list[index], true
}
