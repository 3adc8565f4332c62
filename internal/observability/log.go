// Package observability makes the logger: text for a person, JSON for a machine.
// Package processor/cli makes one and hands it to everybody else; there is no
// global one. Metrics and traces will belong here; there are none yet.
package observability

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// Format of log lines.
type Format string

// The formats. FormatAuto is text in a terminal and JSON elsewhere.
const (
	FormatAuto Format = "auto"
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// NewLogger returns a logger that writes to w lines of at least the given
// level.
func NewLogger(w io.Writer, level slog.Leveler, format Format) (*slog.Logger, error) {
	switch format {
	case FormatJSON:
	case FormatText:
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05.000", NoColor: !IsTerminal(w)})), nil
	case FormatAuto, "":
		if IsTerminal(w) {
			return NewLogger(w, level, FormatText)
		}
	default:
		return nil, fmt.Errorf("making the logger: unknown format %q", format)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
}

// IsTerminal reports whether a person reads what is written to w.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
