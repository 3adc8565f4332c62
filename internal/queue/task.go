// Package queue puts requests into Redis as asynq tasks, each once, and reads
// back how they stand there. It owns the task types and payloads, and the
// connection to Redis.
//
// A task carries IDs and nothing else: whoever carries it out reads the
// request anew. The poller enqueues, the worker decodes; neither knows how a
// task is named.
package queue

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/hibiken/asynq"
)

// kind is what a task is about; it begins every task ID and type.
const kind = "fulfillment"

// A Task is one request to be carried out.
type Task struct {
	Request string // ID, as are the next two
	Asset   string
	Product string
	Type    string // of the request, or "revoke"

	// Lane is the asynq queue that it waits in.
	Lane string

	// Generation is above 0 when the request was taken over from a worker
	// that died; asynq still holds the dead one's task under the plain ID.
	Generation int
}

// payload is what Redis holds of a task: IDs only.
type payload struct {
	Request    string `json:"request"`
	Asset      string `json:"asset,omitempty"`
	Product    string `json:"product,omitempty"`
	Generation int    `json:"generation,omitempty"`
}

// ID returns the task's ID: kind and request ID, so that a request is never
// enqueued twice.
func (t Task) ID() string {
	id := kind + ":" + t.Request
	if t.Generation > 0 {
		id += ":" + strconv.Itoa(t.Generation)
	}
	return id
}

// LeaseName is what a worker must hold the lease of: the asset, so that two
// requests of one subscription never run side by side.
func (t Task) LeaseName() string {
	if t.Asset == "" {
		return t.Request
	}
	return t.Asset
}

func (t Task) typeName() string { return kind + ":" + t.Type }

func (t Task) payload() ([]byte, error) {
	data, err := json.Marshal(payload{Request: t.Request, Asset: t.Asset, Product: t.Product, Generation: t.Generation})
	if err != nil {
		return nil, fmt.Errorf("encoding the task of %s: %w", t.Request, err)
	}
	return data, nil
}

// Decode reads a task back from asynq. It fails for a task that is not ours.
func Decode(t *asynq.Task, lane string) (Task, error) {
	return decode(t.Type(), t.Payload(), lane)
}

func decode(typeName string, data []byte, lane string) (Task, error) {
	requestType, ours := strings.CutPrefix(typeName, kind+":")
	if !ours {
		return Task{}, fmt.Errorf("decoding a task: its type %q is not ours", typeName)
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return Task{}, fmt.Errorf("decoding a task of type %q: %w", typeName, err)
	}
	if p.Request == "" {
		return Task{}, fmt.Errorf("decoding a task of type %q: no request ID in it", typeName)
	}
	return Task{
		Request: p.Request, Asset: p.Asset, Product: p.Product,
		Type: requestType, Lane: lane, Generation: p.Generation,
	}, nil
}
