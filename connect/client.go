package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Defaults of a Config.
const (
	DefaultDialTimeout = 15 * time.Second
	DefaultCallTimeout = 30 * time.Second
)

// Bounds of what is read of an answer, in bytes.
const (
	maxObject = 8 << 20
	maxList   = 64 << 20
	maxError  = 1 << 20
)

// Config of a Client.
type Config struct {
	// Endpoint is the API's base, such as
	// https://api.connect.cloudblue.com/public/v1, with or without a trailing
	// slash.
	Endpoint string

	// APIKey is the token, with or without the word "ApiKey" before it.
	// https://connect.cloudblue.com/community/modules/extensions/api-tokens/
	APIKey string

	// DialTimeout bounds the making of a TCP connection. It is of no account
	// when Transport is given. Defaults to 15 s.
	DialTimeout time.Duration

	// CallTimeout bounds one call as a whole, including the reading of its
	// answer. Defaults to 30 s.
	CallTimeout time.Duration

	// Transport carries the calls. Defaults to NewTransport(DialTimeout).
	Transport http.RoundTripper

	// UserAgent is sent with each call. Defaults to "connect-go".
	UserAgent string
}

// Client calls the Connect API. It is safe for concurrent use. It never tries
// a call again by itself.
type Client struct {
	base      string // without a trailing slash
	key       string // as sent
	userAgent string
	timeout   time.Duration
	http      *http.Client

	// selectRefused holds the paths whose lists answer 400 to a select.
	selectRefused sync.Map
}

// NewTransport returns a transport with enough idle connections for a pool of
// workers, and the proxy that the environment names.
func NewTransport(dialTimeout time.Duration) *http.Transport {
	if dialTimeout <= 0 {
		dialTimeout = DefaultDialTimeout
	}
	const idle = 256
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          idle,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		// Without pings a dead HTTP/2 connection would swallow calls until the
		// kernel gives it up, many minutes later.
		HTTP2: &http.HTTP2Config{SendPingTimeout: dialTimeout, PingTimeout: dialTimeout},
	}
}

// New returns a client. It sends nothing yet. The error names every fault of
// the Config.
func New(cfg Config) (*Client, error) {
	base, endpointErr := parseEndpoint(cfg.Endpoint)
	key, keyErr := normalizeKey(cfg.APIKey)
	if err := errors.Join(endpointErr, keyErr); err != nil {
		return nil, err
	}
	if cfg.CallTimeout <= 0 {
		cfg.CallTimeout = DefaultCallTimeout
	}
	if cfg.Transport == nil {
		cfg.Transport = NewTransport(cfg.DialTimeout)
	}
	return &Client{
		base: base, key: key, userAgent: cmp.Or(cfg.UserAgent, "connect-go"), timeout: cfg.CallTimeout,
		http: &http.Client{Transport: cfg.Transport, CheckRedirect: sameHost},
	}, nil
}

// CloseIdleConnections closes the connections that no call uses.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// parseEndpoint returns the base without a trailing slash. Its errors do not
// repeat what may be a password.
func parseEndpoint(endpoint string) (string, error) {
	base, err := url.Parse(strings.TrimSpace(endpoint))
	switch {
	case err != nil:
		return "", errors.New("the endpoint is not a URL")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return "", fmt.Errorf("endpoint %q is not an http or https URL", base.Redacted())
	case base.User != nil, base.RawQuery != "", base.ForceQuery, base.Fragment != "":
		return "", fmt.Errorf("endpoint %q has more than scheme, host and path", base.Redacted())
	}
	return strings.TrimRight(base.String(), "/"), nil
}

// keyScheme is the word before the key in the Authorization header.
const keyScheme = "ApiKey"

// normalizeKey returns the value of the Authorization header.
func normalizeKey(key string) (string, error) {
	key = strings.TrimSpace(key)
	if scheme, rest, _ := strings.Cut(key, " "); strings.EqualFold(scheme, keyScheme) {
		key = strings.TrimSpace(rest)
	}
	if key == "" {
		return "", errors.New("the API key is empty")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("the API key has a blank, a control sign or a foreign letter in it")
	}
	return keyScheme + " " + key, nil
}

const maxRedirects = 5

// sameHost lets a redirect stay on the host, since the key travels with it, and
// refuses one that would turn an action into a read that only looks like it.
func sameHost(next *http.Request, via []*http.Request) error {
	if next.Method != via[0].Method {
		return fmt.Errorf("refusing a redirect that makes a %s of a %s", next.Method, via[0].Method)
	}
	if next.URL.Host != via[0].URL.Host || next.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("refusing a redirect to another host, %s", next.URL.Host)
	}
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	return nil
}

// answer is a 2xx of Connect.
type answer struct {
	header http.Header
	body   []byte // as far as it could be read
	fault  error  // an *Error when that is not all
}

// errTooLong is a body beyond its bound.
var errTooLong = errors.New("the answer is too long")

// do makes one call. path is below the base; query is encoded already. An
// answer other than 2xx, or none, is an *Error; op begins its message.
func (c *Client) do(ctx context.Context, op, method, path, query string, body any, limit int64) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		e := noAnswer(ctx, op, err)
		if response != nil { // a redirect that was refused; its body is closed
			e.Status = response.StatusCode
		}
		return nil, e
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, responseError(op, strings.TrimPrefix(c.key, keyScheme+" "), response)
	}
	a := &answer{header: response.Header}
	a.body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		a.fault = noAnswer(ctx, op, fmt.Errorf("reading the answer: %w", err))
	case int64(len(a.body)) > limit:
		a.fault = &Error{Op: op, Err: errTooLong}
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, method, path, query string, body any) (*http.Request, error) {
	for segment := range strings.SplitSeq(path[1:], "/") {
		// A missing ID would turn a call for one object into another call.
		if segment == "" || segment == "." || segment == ".." {
			return nil, fmt.Errorf("making the call: %q is no ID", segment)
		}
	}
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the body: %w", err)
		}
		reader = bytes.NewReader(data)
	}
	address := c.base + path
	if query != "" {
		address += "?" + query
	}
	request, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, fmt.Errorf("making the call: %w", err)
	}
	request.Header.Set("Authorization", c.key)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// get reads the object of that ID into result.
func (c *Client) get(ctx context.Context, op, path, id string, result json.Unmarshaler) error {
	a, err := c.do(ctx, op, http.MethodGet, path, "", nil, maxObject)
	if err != nil {
		return err
	}
	switch {
	case errors.Is(a.fault, errTooLong):
		err = errTooLong
	case a.fault != nil:
		return a.fault
	default:
		err = json.Unmarshal(a.body, result)
	}
	if err == nil && idOf(a.body) == "" {
		err = errors.New("the object has no ID") // the word of a proxy, not the object
	}
	if err != nil {
		return &DecodeError{Op: op, ID: id, Raw: a.body[:min(len(a.body), maxRaw)], Err: err}
	}
	return nil
}

// send carries out an action, or makes a new object, and reads the answer into
// result as far as it can be read: after a 2xx the effect has happened,
// whatever the answer looks like, and whether or not it arrives whole.
func (c *Client) send(ctx context.Context, op, method, path string, body any, result json.Unmarshaler) error {
	a, err := c.do(ctx, op, method, path, "", body, maxObject)
	if err != nil {
		return err
	}
	if a.fault == nil {
		_ = json.Unmarshal(a.body, result) // see above
	}
	return nil
}

// noAnswer returns the error of a call without an answer. It drops what
// http.Client adds, which repeats the address, and names the end of the context
// also where the transport gives its cause only.
func noAnswer(ctx context.Context, op string, err error) *Error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return &Error{Op: op, Err: err}
}
