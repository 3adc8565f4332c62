package processor_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/connect-processor/connect-processor/processor"
)

// named returns a vendor whose every handler fails and gives the vendor's name.
func named(name string) processor.Vendor {
	var v processor.Vendor
	fields := reflect.ValueOf(&v).Elem()
	for i := range fields.NumField() {
		fields.Field(i).Set(reflect.ValueOf(processor.Handler(
			func(context.Context, *processor.Task) (processor.Decision, error) {
				return processor.Fail{Reason: name + " " + fields.Type().Field(i).Name}, nil
			})))
	}
	return v
}

// A field that Or forgets would be an operation that the configured vendor
// offers and nobody carries out.
func TestOrFillsEachField(t *testing.T) {
	typ := reflect.TypeFor[processor.Vendor]()
	for own := range typ.NumField() {
		v := processor.Vendor{}
		reflect.ValueOf(&v).Elem().Field(own).Set(reflect.ValueOf(named("Go")).Field(own))
		merged := reflect.ValueOf(v.Or(named("configured")))
		for i := range typ.NumField() {
			want := "configured " + typ.Field(i).Name
			if i == own {
				want = "Go " + typ.Field(i).Name
			}
			handler, ok := reflect.TypeAssert[processor.Handler](merged.Field(i))
			if !ok || handler == nil {
				t.Fatalf("%s is not filled", typ.Field(i).Name)
			}
			decision, err := handler(t.Context(), nil)
			if decision != (processor.Fail{Reason: want}) || err != nil {
				t.Errorf("%s gives %v, error %v; want %q", typ.Field(i).Name, decision, err, want)
			}
		}
	}
}

func TestOrLeavesItsReceiver(t *testing.T) {
	var v processor.Vendor
	_ = v.Or(named("configured"))
	if v.Purchase != nil {
		t.Error("the receiver was filled")
	}
}
