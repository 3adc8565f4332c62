package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Secret is a text that is never shown: whatever prints it prints
// [redacted].
type Secret string

const redacted = "[redacted]"

// Reveal returns the text itself, for whoever needs it to do its work.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, for JSON and others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML implements yaml.Marshaler.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// List is a list of words: in YAML a list, or one text with commas, as in the
// environment.
type List []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *List) UnmarshalYAML(node *yaml.Node) error {
	texts, err := texts(node)
	if err != nil {
		return err
	}
	*l = texts
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *List) UnmarshalText(text []byte) error {
	*l = split(string(text))
	return nil
}

// Durations is a list of times with units, written like List.
type Durations []time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Durations) UnmarshalYAML(node *yaml.Node) error {
	texts, err := texts(node)
	if err != nil {
		return err
	}
	return d.parse(texts)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Durations) UnmarshalText(text []byte) error { return d.parse(split(string(text))) }

func (d *Durations) parse(texts []string) error {
	*d = nil
	for _, text := range texts {
		duration, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a time with a unit, such as 15s or 5m", text)
		}
		*d = append(*d, duration)
	}
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (d Durations) MarshalYAML() (any, error) {
	texts := make([]string, len(d))
	for i, duration := range d {
		texts[i] = duration.String()
	}
	return texts, nil
}

// Products are the products whose requests are processed; in YAML each is an
// ID or a Product.
type Products []Product

var errNoTexts = errors.New("not a list of texts")

// texts reads a list of scalars, or one scalar with commas.
func texts(node *yaml.Node) ([]string, error) {
	switch node.Kind { //nolint:exhaustive // all others are faults
	case yaml.ScalarNode:
		return split(node.Value), nil
	case yaml.SequenceNode:
		var list []string
		for _, element := range node.Content {
			if element.Kind != yaml.ScalarNode {
				return nil, errNoTexts
			}
			list = append(list, strings.TrimSpace(element.Value))
		}
		return list, nil
	}
	return nil, errNoTexts
}

func split(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
