package emulator

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	faultLatency    = "latency"
	faultError      = "error"
	faultErrorAfter = "error_after"
	faultDrop       = "drop"
	faultDropAfter  = "drop_after"
	faultRateLimit  = "rate_limit"
	faultGarbage    = "garbage"
)

// A fault is something that goes wrong with calls that match it. An empty target, method or path matches all.
type fault struct {
	id          string
	spec        faultSpec
	path        *regexp.Regexp
	latency     time.Duration
	left        int // how often it still happens; negative: for ever
	hits        int
	probability float64
}

type faultSpec struct {
	Target      string      `json:"target,omitempty"`
	Method      string      `json:"method,omitempty"`
	Path        string      `json:"path,omitempty"`
	Kind        string      `json:"kind"`
	Status      int         `json:"status,omitempty"`
	Latency     string      `json:"latency,omitempty"`
	RetryAfter  int         `json:"retry_after,omitempty"`
	Times       int         `json:"times,omitempty"`
	Probability json.Number `json:"probability,omitempty"`
}

type faults struct {
	list   []*fault
	made   int
	chance *rand.Rand
}

func newFaults() *faults {
	return &faults{chance: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same sequence in every run is the point
}

func (f *faults) add(spec faultSpec) (*fault, *refusal) {
	made := &fault{spec: spec, left: spec.Times, probability: 1}
	if spec.Times == 0 {
		made.left = -1
	}
	kinds := []string{
		faultLatency, faultError, faultErrorAfter, faultDrop, faultDropAfter, faultRateLimit, faultGarbage,
	}
	if !slices.Contains(kinds, spec.Kind) {
		return nil, invalid(`kind: "` + spec.Kind + `" is not a valid choice.`)
	}
	if !slices.Contains([]string{"", targetConnect, targetVendor}, spec.Target) {
		return nil, invalid(`target: "` + spec.Target + `" is not a valid choice.`)
	}
	if spec.Status != 0 && (spec.Status < 200 || spec.Status > 599) {
		return nil, invalid("status: Expected 200 to 599.")
	}
	if spec.Times < 0 {
		return nil, invalid("times: Must not be negative.")
	}
	var err error
	if made.path, err = regexp.Compile(spec.Path); err != nil {
		return nil, invalid("path: " + err.Error())
	}
	if spec.Latency != "" {
		if made.latency, err = time.ParseDuration(spec.Latency); err != nil {
			return nil, invalid("latency: " + err.Error())
		}
	}
	if spec.Kind == faultLatency && made.latency <= 0 {
		return nil, invalid("latency: This field is required.")
	}
	if spec.Probability != "" {
		made.probability, err = spec.Probability.Float64()
		if err != nil || made.probability < 0 || made.probability > 1 {
			return nil, invalid("probability: Expected 0 to 1.")
		}
	}
	f.made++
	made.id = "F-" + strconv.Itoa(f.made)
	f.list = append(f.list, made)
	return made, nil
}

func (f *faults) remove(id string) bool {
	before := len(f.list)
	f.list = slices.DeleteFunc(f.list, func(x *fault) bool { return x.id == id })
	return len(f.list) < before
}

func (x *fault) served() map[string]any {
	return map[string]any{"id": x.id, "hits": x.hits, "left": max(x.left, 0), "forever": x.left < 0, "fault": x.spec}
}

// meet collects what happens to a call: all latencies that match, and the first fault of another kind.
func (f *faults) meet(target, method, path string) hit {
	var met hit
	for _, x := range f.list {
		spec := x.spec
		switch {
		case x.left == 0,
			spec.Target != "" && spec.Target != target,
			spec.Method != "" && spec.Method != method,
			spec.Kind != faultLatency && met.kind != "",
			!x.path.MatchString(path),
			x.probability < 1 && f.chance.Float64() >= x.probability:
			continue
		}
		x.hits++
		if x.left > 0 {
			x.left--
		}
		met.latency += x.latency
		if spec.Kind != faultLatency {
			met.kind, met.status, met.retryAfter = spec.Kind, spec.Status, spec.RetryAfter
		}
	}
	return met
}

// A hit is what one call meets. The zero value: nothing.
type hit struct {
	kind       string
	latency    time.Duration
	status     int
	retryAfter int
}

// wait spends the latency. It is false when the caller went away meanwhile: then the call had no effect.
func (h hit) wait(ctx context.Context) bool {
	if h.latency <= 0 {
		return true
	}
	timer := time.NewTimer(h.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h hit) after() bool { return h.kind == faultErrorAfter || h.kind == faultDropAfter }

func (h hit) before() bool { return h.kind != "" && !h.after() }

// answer is what the caller gets instead of the endpoint's own.
func (h hit) answer(m mount) reply {
	switch h.kind {
	case faultDrop, faultDropAfter:
		return reply{drop: true}
	case faultGarbage:
		page := []byte("<!DOCTYPE html>\n<html><body><h1>Welcome to the proxy</h1></body></html>\n")
		return reply{status: http.StatusOK, contentType: "text/html; charset=utf-8", body: page}
	}
	status := h.status
	if status == 0 {
		status = http.StatusServiceUnavailable
		if h.kind == faultRateLimit {
			status = http.StatusTooManyRequests
		}
	}
	answer := m.refuse(&refusal{status: status, code: codeBroken, messages: []string{http.StatusText(status)}})
	if h.retryAfter > 0 {
		answer.header = map[string]string{"Retry-After": strconv.Itoa(h.retryAfter)}
	}
	return answer
}
