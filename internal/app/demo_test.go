package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestEveryStoryOfTheDemoComesToItsEndAndLeavesNothingRunning(t *testing.T) {
	// Registered first, so that it looks after everything else has ended.
	defer goleak.VerifyNone(t)
	want := DemoReport{Parked: 1}
	for _, story := range stories() {
		want.Vendor.Tenants++
		for _, chapter := range story {
			want.Requests++
			switch chapter.ends {
			case endsApproved:
				want.Approved++
			case endsFailed:
				want.Failed++
			}
		}
	}
	var last Progress
	options := Options{Version: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now}
	got, err := Demo(t.Context(), options, DemoOptions{Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	if got.Seconds <= 0 {
		t.Errorf("it took %g seconds", got.Seconds)
	}
	got.Seconds = 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if parked := last["suspend"]["parked"]; parked != 1 {
		t.Errorf("the last progress shows %d parked suspensions: %v", parked, last)
	}
}
