package processor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/connect-processor/connect-processor/processor"
)

func TestClassOf(t *testing.T) {
	plain := errors.New("no")
	class := processor.WithClass
	for name, c := range map[string]struct {
		err  error
		want processor.ErrorClass
	}{
		"plain":                    {plain, processor.ClassVendorUnavailable},
		"permanent":                {processor.Permanent(plain), processor.ClassVendorRefused},
		"retry after":              {processor.RetryAfter(plain, time.Second), processor.ClassVendorUnavailable},
		"deadline":                 {fmt.Errorf("calling: %w", context.DeadlineExceeded), processor.ClassTimeout},
		"network timeout":          {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, processor.ClassTimeout},
		"network error":            {&net.OpError{Op: "dial", Err: plain}, processor.ClassVendorUnavailable},
		"canceled":                 {context.Canceled, processor.ClassVendorUnavailable},
		"own class":                {class(processor.ClassHeld, plain), processor.ClassHeld},
		"own class, wrapped":       {fmt.Errorf("calling: %w", class(processor.ClassHeld, plain)), processor.ClassHeld},
		"own class below others":   {processor.Permanent(processor.NotDone(class(processor.ClassParams, plain))), processor.ClassParams},
		"own class over permanent": {class(processor.ClassParams, processor.Permanent(plain)), processor.ClassParams},
		"own class over a timeout": {class(processor.ClassVendorAnswer, context.DeadlineExceeded), processor.ClassVendorAnswer},
		"the outermost class":      {class(processor.ClassHeld, class(processor.ClassParams, plain)), processor.ClassHeld},
		"joined":                   {errors.Join(plain, class(processor.ClassParams, plain)), processor.ClassParams},
	} {
		if got := processor.ClassOf(c.err); got != c.want {
			t.Errorf("%s: class %s, want %s", name, got, c.want)
		}
	}
}

func TestMarksSurviveWrappingAndEachOther(t *testing.T) {
	cause := errors.New("no")
	err := fmt.Errorf("calling: %w", processor.Permanent(processor.RetryAfter(processor.NotDone(cause), time.Minute)))
	after, asked := processor.RetryDelay(err)
	if !processor.IsPermanent(err) || !processor.IsNotDone(err) || !asked || after != time.Minute {
		t.Errorf("permanent %v, not done %v, after %s %v", processor.IsPermanent(err), processor.IsNotDone(err), after, asked)
	}
	if !errors.Is(err, cause) || err.Error() != "calling: no" {
		t.Errorf("error %v", err)
	}
}

func TestUnmarkedErrorsAreUnmarked(t *testing.T) {
	err := errors.New("no")
	if _, asked := processor.RetryDelay(err); asked || processor.IsPermanent(err) || processor.IsNotDone(err) {
		t.Errorf("permanent %v, not done %v, asked %v", processor.IsPermanent(err), processor.IsNotDone(err), asked)
	}
}

// "return processor.Permanent(call())" must not make an error of a success.
func TestNoErrorStaysNone(t *testing.T) {
	for name, err := range map[string]error{
		"Permanent": processor.Permanent(nil), "RetryAfter": processor.RetryAfter(nil, time.Second),
		"NotDone": processor.NotDone(nil), "WithClass": processor.WithClass(processor.ClassHeld, nil),
	} {
		if err != nil {
			t.Errorf("%s(nil) = %v", name, err)
		}
	}
}
