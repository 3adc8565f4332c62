package emulator

import "time"

// stampLayout has a fixed width and only ever UTC, so that stamps order as text. No two stamps of a server are equal:
// a client that compares `updated` sees every change.
const stampLayout = "2006-01-02T15:04:05.000000+00:00"

type clock struct {
	now  func() time.Time
	last time.Time
}

func (c *clock) stamp() string {
	t := c.now().UTC().Truncate(time.Microsecond)
	if !t.After(c.last) {
		t = c.last.Add(time.Microsecond)
	}
	c.last = t
	return t.Format(stampLayout)
}

// parseTime reads ISO 8601 with a time of day, in the forms that clients send. A plus sign may arrive as a space,
// which is what an unescaped one becomes in a query.
func parseTime(text string) (time.Time, bool) {
	if len(text) > 6 && text[len(text)-6] == ' ' {
		text = text[:len(text)-6] + "+" + text[len(text)-5:]
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
