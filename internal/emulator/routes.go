package emulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

const (
	targetConnect = "connect"
	targetVendor  = "vendor"
)

// A mount is one of the systems served side by side on the port, with the form its errors have.
type mount struct {
	name   string
	prefix string
	routes []route
	refuse func(*refusal) reply
}

// A route is an endpoint of a mount. Its pattern is also the name it is counted under.
type route struct {
	method   string
	pattern  string
	segments []string
	serve    func(*call) (reply, *refusal)
}

func on(method, pattern string, serve func(*call) (reply, *refusal)) route {
	return route{method: method, pattern: pattern, segments: strings.Split(pattern, "/"), serve: serve}
}

// A call is what an endpoint is given: the body was read before the lock was taken.
type call struct {
	request *http.Request
	args    map[string]string
	body    []byte
}

// object decodes the body. An empty body is an empty object: many actions are posted without one.
func (c *call) object() (map[string]any, *refusal) {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return map[string]any{}, nil
	}
	value, err := decode(c.body)
	if err != nil {
		return nil, invalid("JSON parse error - " + err.Error())
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, invalid("Invalid data. Expected a dictionary.")
	}
	return object, nil
}

// into decodes the body into one of the control plane's forms. Unknown fields are refused there: a misspelled fault
// would otherwise make a test pass that tests nothing.
func (c *call) into(form any) *refusal {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(form); err != nil {
		return invalid("JSON parse error - " + err.Error())
	}
	return nil
}

// A reply is an answer not yet written, so that a fault can withhold it after the effect.
type reply struct {
	status      int
	contentType string
	header      map[string]string
	body        []byte
	drop        bool
}

func jsonReply(status int, value any) reply {
	body, err := json.Marshal(value)
	if err != nil {
		return connectRefusal(&refusal{
			status: http.StatusInternalServerError, code: codeBroken, messages: []string{err.Error()},
		})
	}
	return rawReply(status, body)
}

func rawReply(status int, body []byte) reply {
	return reply{status: status, contentType: "application/json", body: body}
}

func noContent() reply { return reply{status: http.StatusNoContent} }

func (a reply) write(w http.ResponseWriter) {
	if a.drop {
		drop(w)
		return
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.contentType != "" {
		w.Header().Set("Content-Type", a.contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller is gone: nobody to tell
}

// drop closes the connection without a byte of an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 has no connection to take over: the server resets the stream
	}
	_ = conn.Close()
}

// mountOf splits a path into the mount it belongs to and the rest, without a trailing slash.
func (s *Server) mountOf(path string) (mount, string, bool) {
	for _, m := range s.mounts {
		rest, ok := strings.CutPrefix(path, m.prefix)
		if !ok || (rest != "" && rest[0] != '/') {
			continue
		}
		rest = "/" + strings.Trim(rest, "/")
		return m, rest, true
	}
	return mount{}, "", false
}

func (m mount) find(method, path string) (route, map[string]string, *refusal) {
	segments := strings.Split(path, "/")
	refused := notFound("no such path")
	for _, rt := range m.routes {
		args, ok := match(rt.segments, segments)
		if !ok {
			continue
		}
		if rt.method == method {
			return rt, args, nil
		}
		refused = &refusal{
			status: http.StatusMethodNotAllowed, code: codeValidation,
			messages: []string{`Method "` + method + `" not allowed.`},
		}
	}
	return route{}, nil, refused
}

func match(pattern, segments []string) (map[string]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	var args map[string]string
	for i, want := range pattern {
		if !strings.HasPrefix(want, "{") {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		if segments[i] == "" {
			return nil, false
		}
		if args == nil {
			args = map[string]string{}
		}
		args[strings.Trim(want, "{}")] = segments[i]
	}
	return args, true
}

// decode keeps numbers as they were written: 10 stays 10 and 2.50 stays 2.50.
func decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return value, nil
}
