package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
)

const (
	// maxBroken is how many unreadable places of one list are passed over.
	maxBroken = 10

	// maxRaw is how much of what does not decode is kept, in bytes.
	maxRaw = 64 << 10
)

// list iterates over a collection page by page. An element that cannot be
// decoded is yielded as a *DecodeError, and the list goes on; any other error
// is yielded once and ends it. No error that ends a list is a *DecodeError:
// who passes over those must not take a list that broke off for a whole one.
//
// It asks for the next page from where the last one ended, not from where it
// should have ended: a server may give less than was asked for. What leaves
// the collection meanwhile shifts the rest, so a caller that changes what it
// lists must collect first.
func list[T any, P interface {
	*T
	json.Unmarshaler
}](ctx context.Context, c *Client, op, path string, query Query) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		q := query // of this iteration: it may lose its select
		offset, broken, previous := 0, 0, ""
		for {
			p, err := c.page(ctx, op, path, &q, offset)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(p.elements) > 0 {
				first := cmp.Or(idOf(p.elements[0]), string(p.elements[0]))
				if first == previous {
					yield(nil, &Error{Op: op, Err: errors.New("the server gives the same page again, whatever the offset")})
					return
				}
				previous = first
			}
			for _, element := range p.elements {
				value := P(new(T))
				if err := json.Unmarshal(element, value); err != nil {
					value, err = nil, &DecodeError{Op: op, Raw: element[:min(len(element), maxRaw)], Err: err}
					if !yield(value, err) {
						return
					}
					continue
				}
				if !yield(value, nil) {
					return
				}
			}
			offset += len(p.elements)
			if p.fault != nil {
				if broken++; broken > maxBroken || p.span == whole {
					yield(nil, &Error{Op: op, Err: fmt.Errorf("the list is unreadable from element %d: %w", offset, p.fault)})
					return
				}
				if !yield(nil, &DecodeError{Op: op, ID: idOf(p.rest), Raw: p.rest, Err: p.fault}) {
					return
				}
				offset++ // past the element that breaks the page
			}
			if p.ends(offset) {
				return
			}
		}
	}
}

// page is one answer of a list.
type page struct {
	elements []json.RawMessage
	rest     []byte // what follows them when the JSON breaks there
	fault    error  // how it breaks
	span     span
	total    int // of the whole list, when the span is counted
}

// span says what a page is of its list.
type span int

const (
	whole   span = iota // no Content-Range: there is no other page
	open                // a Content-Range without a total
	counted             // a Content-Range with one
)

// ends reports whether the list has nothing at offset, to which p leads.
func (p page) ends(offset int) bool {
	return p.span == whole || p.span == counted && offset >= p.total || len(p.elements) == 0 && p.fault == nil
}

// page reads the page that begins at offset. When the server refuses the
// query's select, it is dropped from q.
func (c *Client) page(ctx context.Context, op, path string, q *Query, offset int) (page, error) {
	if _, refused := c.selectRefused.Load(path); refused {
		q.Select = nil
	}
	a, err := c.getPage(ctx, op, path, *q, offset)
	if StatusOf(err) == http.StatusBadRequest && len(q.Select) > 0 {
		q.Select = nil
		// Only an answer now shows that the select was at fault.
		if a, err = c.getPage(ctx, op, path, *q, offset); err == nil {
			c.selectRefused.Store(path, struct{}{})
		}
	}
	if err != nil {
		return page{}, err
	}
	if a.fault != nil {
		return page{}, a.fault
	}
	p, err := elements(a.body)
	if err != nil {
		return page{}, &Error{Op: op, Err: err}
	}
	p.span, p.total = contentRange(a.header.Get("Content-Range"))
	return p, nil
}

func (c *Client) getPage(ctx context.Context, op, path string, q Query, offset int) (*answer, error) {
	query, err := q.encode(offset)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return c.do(ctx, op, http.MethodGet, path, query, nil, maxList)
}

// elements splits a JSON array. The page's fault is where the JSON breaks. One
// that just ends early, or is no array, is an error: nothing follows it.
func elements(data []byte) (page, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('[') {
		return page{}, errors.New("the answer is not a JSON array")
	}
	var p page
	for {
		var err error
		if decoder.More() {
			var element json.RawMessage
			if err = decoder.Decode(&element); err == nil {
				p.elements = append(p.elements, element)
				continue
			}
		} else if _, err = decoder.Token(); err == nil {
			return p, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return page{}, fmt.Errorf("the answer ends early: %w", io.ErrUnexpectedEOF)
		}
		rest := data[decoder.InputOffset():]
		p.rest, p.fault = bytes.Clone(rest[:min(len(rest), maxRaw)]), err
		return p, nil
	}
}

// contentRange reads "items 0-99/250", whose total may be * for unknown.
func contentRange(header string) (span, int) {
	if strings.TrimSpace(header) == "" {
		return whole, 0
	}
	_, text, _ := strings.Cut(header, "/")
	if total, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && total >= 0 {
		return counted, total
	}
	return open, 0
}

// idOf makes out the ID of an object, as far as its JSON can be read.
func idOf(data []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return ""
	}
	for {
		key, err := decoder.Token()
		if err != nil {
			return ""
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return ""
		}
		if key == "id" {
			return object{"id": value}.text("id")
		}
	}
}
