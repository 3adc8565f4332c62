package minimal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// call is one HTTP call, its body read.
type call struct {
	*http.Request

	body []byte
	lost bool // the caller will not get the answer
}

type reply struct {
	status int
	body   any // nil sends none
	total  string
}

type failure struct {
	Code   string   `json:"error_code"`
	Errors []string `json:"errors"`
}

// decode reads a JSON body into v and refuses fields that v lacks. A non-zero
// status in the reply means the caller was at fault.
func (s *Server) decode(c *call, v any) reply {
	media, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		s.violate(c.Method, c.URL.Path, fmt.Sprintf("content type %q", c.Header.Get("Content-Type")))
		return reply{status: http.StatusUnsupportedMediaType, body: failure{"VAL_001", []string{"The body must be application/json."}}}
	}
	if trimmed := bytes.TrimSpace(c.body); len(trimmed) == 0 || trimmed[0] != '{' {
		return s.fault(c, "VAL_001", "body: a JSON object is required.")
	}
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return s.fault(c, "VAL_001", "body: "+err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return s.fault(c, "VAL_001", "body: more than one JSON value")
	}
	return reply{}
}

// fault is a 400 that the caller could have avoided.
func (s *Server) fault(c *call, code, message string) reply {
	s.violate(c.Method, c.URL.Path, code+" "+message)
	return refusal(code, message)
}

func (s *Server) violate(method, path, what string) {
	s.stats.Violations = append(s.stats.Violations, method+" "+path+": "+what)
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

func refusal(code, message string) reply {
	return reply{status: http.StatusBadRequest, body: failure{code, []string{message}}}
}

func notFound() reply {
	return reply{status: http.StatusNotFound, body: failure{"GEN_404", []string{"Not found."}}}
}

func send(w http.ResponseWriter, answer reply) {
	w.Header().Set("Connect-Version", "37.0-minimal")
	if answer.total != "" {
		w.Header().Set("Content-Range", answer.total)
	}
	if answer.body == nil {
		w.WriteHeader(answer.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(answer.body) // a caller who went away is no concern of the server
}

// drop breaks the connection inside the status line: after a first byte Go's
// transport no longer repeats the call by itself, so the caller sees the loss.
func drop(w http.ResponseWriter) {
	connection, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = buffer.WriteString("HTTP/1.1 ")
	_ = buffer.Flush()
	_ = connection.Close()
}
