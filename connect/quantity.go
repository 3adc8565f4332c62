package connect

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Quantity is how much of an item is ordered, as Connect wrote it: "10", "2.5"
// or "unlimited"; "" when the request does not say.
type Quantity string

// unlimited is the word that Connect uses in place of a number.
const unlimited = "unlimited"

// Unlimited reports whether there is no bound.
func (q Quantity) Unlimited() bool { return strings.EqualFold(string(q), unlimited) }

// Int returns the quantity as a whole number; false when it is none.
func (q Quantity) Int() (int64, bool) {
	if n, err := strconv.ParseInt(string(q), 10, 64); err == nil {
		return n, true
	}
	f, ok := q.Float()
	if !ok || math.Abs(f) >= 1<<63 || math.Trunc(f) != f {
		return 0, false
	}
	return int64(f), true
}

// Float returns the quantity as a number; false when it is none.
func (q Quantity) Float() (float64, bool) {
	f, err := strconv.ParseFloat(string(q), 64)
	return f, err == nil && f-f == 0 // neither infinite nor NaN
}

// MarshalJSON writes a number where the quantity is one, with all its digits,
// and text otherwise.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if _, ok := q.Float(); ok && json.Valid([]byte(q)) {
		return []byte(q), nil
	}
	return json.Marshal(string(q))
}
