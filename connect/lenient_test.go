package connect_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

func mustDecode(t *testing.T, text string) *connect.Request {
	t.Helper()
	var r connect.Request
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestAWholeRequestIsRead(t *testing.T) {
	text, err := os.ReadFile("testdata/request.json")
	if err != nil {
		t.Fatal(err)
	}
	r := mustDecode(t, string(text))
	if !json.Valid(r.Raw) {
		t.Error("Raw is not kept")
	}
	r.Raw = nil
	customer := connect.Account{
		ID: "TA-1", ExternalID: "1", ExternalUID: "u-1", Type: "customer", Name: "Cust", TaxID: "T1",
		ContactInfo: connect.ContactInfo{
			AddressLine1: "Street 1", AddressLine2: "Floor 2", City: "Town", State: "ST", PostalCode: "123", Country: "US",
			FirstName: "Ann", LastName: "Lee", Email: "ann@example.com",
			Phone: connect.Phone{CountryCode: "+1", AreaCode: "555", Number: "0100", Extension: "7"},
		},
	}
	want := &connect.Request{
		ID: "PR-1000-2000-3000-001", Type: connect.TypeChange, Status: connect.StatusPending,
		Note: "a note", Reason: "a reason", Created: "2024-05-01T10:00:00+00:00", Updated: "2024-05-01T10:00:05+00:00",
		EffectiveDate: "2024-05-02T00:00:00+00:00", PlannedDate: "2024-05-03T00:00:00+00:00",
		Template: connect.Ref{ID: "TL-111-222-333", Name: "Pending"}, Assignee: connect.Ref{ID: "UR-1", Name: "Bob"},
		Marketplace: connect.Ref{ID: "MP-1", Name: "Market"}, Contract: connect.Ref{ID: "CRD-1", Name: "None"},
		PreviousApproved: "PR-1000-2000-3000-000", ParamsFormURL: "https://example.com/form",
		Asset: connect.Asset{
			ID: "AS-1000-2000-3000", Status: connect.AssetActive, ExternalID: "77", ExternalUID: "uid",
			Product: connect.Product{ID: "PRD-111-222-333", Name: "Demo", Status: "published"},
			Connection: connect.Connection{
				ID: "CT-0000-0000-0000", Type: "preview", Provider: connect.Ref{ID: "PA-1", Name: "Dist"},
				Vendor: connect.Ref{ID: "VA-1", Name: "Acme"}, Hub: connect.Ref{ID: "HB-1", Name: "None"},
			},
			Items: []connect.Item{{
				ID: "PRD_111_222_333_0001", GlobalID: "PRD-111-222-333-0001", MPN: "SEAT", Name: "Seat",
				ItemType: "Reservation", Type: "Units", Period: "Monthly", Quantity: "12", OldQuantity: "10",
				Params: connect.Params{{ID: "color", Value: "red"}},
			}},
			Params: connect.Params{{
				ID: "tenant_id", Name: "tenant", Title: "Tenant", Description: "The tenant", Type: "phone",
				Phase: connect.PhaseFulfillment, Scope: "asset", Value: "+1", StructuredValue: json.RawMessage(`{"country_code":"+1"}`),
				ValueError:  "wrong",
				Constraints: connect.Constraints{Required: true, Hidden: true, ReadOnly: true, Unique: true, Reconciliation: true},
			}},
			Tiers:         connect.Tiers{Customer: customer, Tier1: connect.Account{ID: "TA-2", Type: "reseller"}},
			Configuration: connect.Configuration{Params: connect.Params{{ID: "conf", Phase: connect.PhaseConfiguration, Value: "c"}}},
			Marketplace:   connect.Ref{ID: "MP-1", Name: "Market"}, Contract: connect.Ref{ID: "CRD-1", Name: "None"},
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneThingIsWrittenInSeveralWays(t *testing.T) {
	rows := []struct {
		name, text string
		get        func(*connect.Request) any
		want       any
	}{
		{"assignee absent", `{}`, assignee, connect.Ref{}},
		{"assignee null", `{"assignee":null}`, assignee, connect.Ref{}},
		{"assignee empty", `{"assignee":""}`, assignee, connect.Ref{}},
		{"assignee as text", `{"assignee":"UR-1"}`, assignee, connect.Ref{ID: "UR-1"}},
		{"assignee as object", `{"assignee":{"id":"UR-1","name":"Bob","email":"b@c"}}`, assignee, connect.Ref{ID: "UR-1", Name: "Bob"}},
		{"created in events", `{"created":null,"events":{"created":{"at":"2024"}}}`, func(r *connect.Request) any { return r.Created }, connect.Timestamp("2024")},
		{"updated in events", `{"events":{"updated":{"at":"2025"}}}`, func(r *connect.Request) any { return r.Updated }, connect.Timestamp("2025")},
		{"previous as ID", `{"previous_approved_request":"PR-0"}`, func(r *connect.Request) any { return r.PreviousApproved }, "PR-0"},
		{"previous as object", `{"previous_approved_request":{"id":"PR-0"}}`, func(r *connect.Request) any { return r.PreviousApproved }, "PR-0"},
		{"external ID as number", `{"asset":{"external_id":12345678901234567890}}`, func(r *connect.Request) any { return r.Asset.ExternalID }, "12345678901234567890"},
		{"tier2 empty", `{"asset":{"tiers":{"tier2":{}}}}`, tier2, connect.Account{}},
		{"tier2 null", `{"asset":{"tiers":{"tier2":null}}}`, tier2, connect.Account{}},
		{"tier2 text", `{"asset":{"tiers":{"tier2":""}}}`, tier2, connect.Account{}},
		{"tiers a list", `{"asset":{"tiers":[]}}`, tier2, connect.Account{}},
		{"asset null", `{"asset":null}`, asset, ""},
		{"asset a list", `{"asset":[]}`, asset, ""},
		{"params null", `{"asset":{"params":null}}`, params, 0},
		{"params an object", `{"asset":{"params":{}}}`, params, 0},
		{"params with others among them", `{"asset":{"params":[null,"x",7,{"id":"a"}]}}`, params, 1},
		{"quantity as text", quantity(`"3"`), first, connect.Quantity("3")},
		{"quantity as number", quantity(`3`), first, connect.Quantity("3")},
		{"quantity as decimal", quantity(`2.50`), first, connect.Quantity("2.50")},
		{"quantity unlimited", quantity(`"unlimited"`), first, connect.Quantity("unlimited")},
		{"quantity null", quantity(`null`), first, connect.Quantity("")},
		{"quantity an object", quantity(`{}`), first, connect.Quantity("")},
		{"value as number", value(`1.5`), paramA, "1.5"},
		{"value as truth", value(`false`), paramA, "false"},
		{"value null", value(`null`), paramA, ""},
		{"value a list", value(`["a"]`), paramA, ""},
		{"constraints null", `{"asset":{"params":[{"id":"a","constraints":null}]}}`, required, false},
		{"constraint as text", `{"asset":{"params":[{"id":"a","constraints":{"required":"true"}}]}}`, required, true},
		{"structured value empty", `{"asset":{"params":[{"id":"a","structured_value":{ }}]}}`, empty, true},
		{"structured value text", `{"asset":{"params":[{"id":"a","structured_value":""}]}}`, empty, true},
		{"structured value", `{"asset":{"params":[{"id":"a","structured_value":{"x":0}}]}}`, empty, false},
		{"global ID absent", `{"asset":{"items":[{"id":"X"}]}}`, func(r *connect.Request) any { return r.Asset.Items[0].GlobalID }, "X"},
		{"type a number", `{"type":5}`, func(r *connect.Request) any { return r.Type }, connect.RequestType("5")},
		{"status an object", `{"status":{}}`, func(r *connect.Request) any { return r.Status }, connect.RequestStatus("")},
		{"product as text", `{"asset":{"product":"PRD-1"}}`, func(r *connect.Request) any { return r.Asset.Product.Name }, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, row.get(mustDecode(t, row.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func quantity(q string) string { return `{"asset":{"items":[{"quantity":` + q + `}]}}` }
func value(v string) string    { return `{"asset":{"params":[{"id":"a","value":` + v + `}]}}` }

func assignee(r *connect.Request) any { return r.Assignee }
func tier2(r *connect.Request) any    { return r.Asset.Tiers.Tier2 }
func asset(r *connect.Request) any    { return r.Asset.ID }
func params(r *connect.Request) any   { return len(r.Asset.Params) }
func first(r *connect.Request) any    { return r.Asset.Items[0].Quantity }
func paramA(r *connect.Request) any   { return r.Param("a") }
func required(r *connect.Request) any { return r.Asset.Params[0].Constraints.Required }
func empty(r *connect.Request) any    { return r.Asset.Params[0].Empty() }

func TestQuantities(t *testing.T) {
	rows := []struct {
		q         connect.Quantity
		n         int64
		whole     bool
		f         float64
		number    bool
		unlimited bool
		json      string
	}{
		{"10", 10, true, 10, true, false, `10`},
		{"10.0", 10, true, 10, true, false, `10.0`},
		{"2.5", 0, false, 2.5, true, false, `2.5`},
		{"unlimited", 0, false, 0, false, true, `"unlimited"`},
		{"", 0, false, 0, false, false, `""`},
		{"NaN", 0, false, 0, false, false, `"NaN"`},
		{"9007199254740993", 9007199254740993, true, 9007199254740992, true, false, `9007199254740993`},
		{"9223372036854775808", 0, false, 9223372036854775808, true, false, `9223372036854775808`},
		{"0x10", 0, false, 0, false, false, `"0x10"`},
	}
	for _, row := range rows {
		t.Run(string(row.q), func(t *testing.T) {
			if n, ok := row.q.Int(); n != row.n || ok != row.whole {
				t.Errorf("Int %d, %t", n, ok)
			}
			if f, ok := row.q.Float(); ok != row.number || ok && f != row.f {
				t.Errorf("Float %v, %t", f, ok)
			}
			if row.q.Unlimited() != row.unlimited {
				t.Errorf("Unlimited %t", !row.unlimited)
			}
			if text, err := json.Marshal(row.q); err != nil || string(text) != row.json {
				t.Errorf("JSON %s, %v", text, err)
			}
		})
	}
}

func TestTimestamps(t *testing.T) {
	for text, want := range map[connect.Timestamp]string{
		"2024-05-01T10:00:00+02:00": "2024-05-01T08:00:00Z", "2024-05-01T10:00:00.5Z": "2024-05-01T10:00:00.5Z",
		"2024-05-01T10:00:00": "2024-05-01T10:00:00Z", "2024-05-01 10:00:00": "2024-05-01T10:00:00Z",
	} {
		at, ok := text.Time()
		if got := at.UTC().Format("2006-01-02T15:04:05.999999999Z07:00"); !ok || got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if _, ok := connect.Timestamp("").Time(); ok {
		t.Error("no timestamp is a time")
	}
}

func TestOnlyWhatIsNoObjectFails(t *testing.T) {
	for _, text := range []string{"null", "[]", `"x"`, "1", "true"} {
		for _, target := range []json.Unmarshaler{
			&connect.Request{}, &connect.Asset{}, &connect.Product{}, &connect.Template{}, &connect.Conversation{}, &connect.Message{},
		} {
			if err := target.UnmarshalJSON([]byte(text)); err == nil {
				t.Errorf("%T took %s", target, text)
			}
			if err := target.UnmarshalJSON([]byte("{}")); err != nil {
				t.Errorf("%T refused {}: %v", target, err)
			}
		}
	}
}

func FuzzARequestIsReadTheSameTwice(f *testing.F) {
	text, err := os.ReadFile("testdata/request.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"asset":{"items":[{"quantity":1e400}],"params":[{"value":null,"structured_value":[1, 2]}],"tiers":[]}}`))
	f.Add([]byte(` {"id":"\ud800","assignee":[{}]} `))
	f.Fuzz(func(t *testing.T, data []byte) {
		var once, twice connect.Request
		if json.Unmarshal(data, &once) != nil {
			return
		}
		var kept, sent any
		if json.Unmarshal(once.Raw, &kept) != nil || json.Unmarshal(data, &sent) != nil {
			return // beyond what any can hold, such as 1e400
		}
		if !reflect.DeepEqual(kept, sent) {
			t.Errorf("Raw is %s", once.Raw)
		}
		if err := json.Unmarshal(once.Raw, &twice); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Errorf("(-once +twice):\n%s", diff)
		}
	})
}
