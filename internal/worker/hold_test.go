package worker

import (
	"testing"
	"time"
)

func TestAHoldLastsAsLongAsConnectSaysAndGrowsWhenItDoesNot(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var h hold
	if got := h.remaining(now); got != 0 {
		t.Errorf("held from the start, for %s", got)
	}
	h.extend(now, 7*time.Second)
	h.extend(now, 2*time.Second) // of a call that was under way
	if got := h.remaining(now.Add(time.Second)); got != 6*time.Second {
		t.Errorf("after a second of seven: %s", got)
	}
	now = now.Add(time.Minute)
	for _, want := range []string{"1s", "2s", "4s", "8s", "16s", "30s", "30s"} {
		h.extend(now, 0)
		h.extend(now, 0)
		if got := h.remaining(now).String(); got != want {
			t.Errorf("held for %s, want %s", got, want)
		}
		now = now.Add(time.Minute)
	}
	h.clear()
	h.extend(now, 0)
	if got := h.remaining(now); got != time.Second {
		t.Errorf("after a success: %s", got)
	}
}
