package fulfillment_test

import (
	"encoding/json"
	"testing"

	"github.com/connect-processor/connect-processor/internal/fulfillment"
	"github.com/connect-processor/connect-processor/processor"
)

type plan string

func TestParamsAreWrittenAsConnectReadsThem(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"text":              {"a \"b\" <c>", `"value":"a \"b\" \u003cc\u003e"`},
		"text that is JSON": {`{"a":1}`, `"value":"{\"a\":1}"`},
		"own text type":     {plan("gold & silver"), `"value":"gold \u0026 silver"`},
		"whole number":      {42, `"value":"42"`},
		"negative":          {-1.5, `"value":"-1.5"`},
		"long number":       {json.Number("12345678901234567890"), `"value":"12345678901234567890"`},
		"object":            {map[string]any{"b": 2, "a": "1"}, `"structured_value":{"a":"1","b":2}`},
		"list":              {[]string{"a"}, `"structured_value":["a"]`},
		"truth":             {true, `"structured_value":true`},
		"raw JSON":          {json.RawMessage(`{ "a": 1 }`), `"structured_value":{"a":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform()
			checkOutcome(t, process(t, p, decide(processor.Wait{Params: processor.Params{"tenant_id": c.value}})), fulfillment.Waiting, "")
			checkCalls(t, p, readsRequest, readsTemplates, asksVendor,
				savesParams+` {"asset":{"params":[{"id":"tenant_id",`+c.want+`}]}}`)
		})
	}
}

func TestParamsThatAreTheSameAreNotSent(t *testing.T) {
	p := newPlatform()
	checkOutcome(t, process(t, p, decide(processor.Wait{Params: processor.Params{
		"domain":    "example.com",
		"admin":     json.RawMessage(`{"level":1, "name":"Ada"}`), // in another order
		"tenant_id": nil,                                          // empty already
	}})), fulfillment.Waiting, "")
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor)
}

func TestNilEmptiesAParam(t *testing.T) {
	p := newPlatform()
	process(t, p, decide(processor.Wait{Params: processor.Params{"domain": nil}}))
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor,
		savesParams+` {"asset":{"params":[{"id":"domain","value":""}]}}`)
}

// Two numbers that a float64 cannot tell apart.
func TestLongNumbersInStructuredParamsAreToldApart(t *testing.T) {
	p := newPlatform()
	p.Params[2].StructuredValue = json.RawMessage(`{"id":9007199254740992}`)
	process(t, p, decide(processor.Wait{Params: processor.Params{"admin": map[string]int64{"id": 9007199254740993}}}))
	checkCalls(t, p, readsRequest, readsTemplates, asksVendor,
		savesParams+` {"asset":{"params":[{"id":"admin","structured_value":{"id":9007199254740993}}]}}`)
}

func TestAParamThatTheProductLacksIsConnectsToRefuse(t *testing.T) {
	p := newPlatform()
	result := process(t, p, decide(processor.Wait{Params: processor.Params{"tennant_id": "t-42"}}))
	checkOutcome(t, result, fulfillment.Park, processor.ClassConnectRefused)
}

func TestARequiredParamMayHoldAStructuredValue(t *testing.T) {
	p := newPlatform()
	p.Params[1].StructuredValue = map[string]any{"number": "1"}
	checkOutcome(t, process(t, p, decide(processor.Approve{})), fulfillment.Approved, "")
}
