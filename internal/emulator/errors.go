package emulator

import "net/http"

// Codes that official clients were seen to receive. What each family means exactly is not published; the last two,
// for what does not exist and for what breaks, are made up: nobody saw the platform's.
const (
	codeUnauthorized  = "AUTH_001"
	codeValidation    = "VAL_001"
	codeWrongState    = "REQ_003"
	codeMissingReason = "REQ_005"
	codeNotFound      = "NFND_000"
	codeBroken        = "SYS_001"
)

// A refusal is an answer other than success, before it takes the form of the system that gives it.
type refusal struct {
	status   int
	code     string
	messages []string
}

func invalid(messages ...string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeValidation, messages: messages}
}

func wrongState(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeWrongState, messages: []string{message}}
}

func notFound(message string) *refusal {
	return &refusal{status: http.StatusNotFound, code: codeNotFound, messages: []string{message}}
}

func unauthorized() *refusal {
	return &refusal{
		status: http.StatusUnauthorized, code: codeUnauthorized, messages: []string{"API request is unauthorized."},
	}
}

// connectRefusal is the body of every error of Connect.
func connectRefusal(r *refusal) reply {
	return jsonReply(r.status, map[string]any{"error_code": r.code, "errors": r.messages})
}

// vendorRefusal is another company's idea of an error body.
func vendorRefusal(r *refusal) reply {
	message := ""
	if len(r.messages) > 0 {
		message = r.messages[0]
	}
	return jsonReply(r.status, map[string]string{"error": message})
}
