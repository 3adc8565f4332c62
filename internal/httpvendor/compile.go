package httpvendor

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/connect-processor/connect-processor/processor"
)

// compile checks the mapping and parses its texts.
func compile(cfg Config) (map[string]operation, error) {
	var faults []error
	if err := checkBase(cfg); err != nil {
		faults = append(faults, err)
	}
	if cfg.Timeout < 0 {
		faults = append(faults, fmt.Errorf("timeout: %s is negative", cfg.Timeout))
	}
	operations := make(map[string]operation, len(cfg.Operations))
	offered := handlers(&processor.Vendor{})
	for _, name := range slices.Sorted(maps.Keys(cfg.Operations)) {
		path := "operations." + name
		if _, known := offered[name]; !known {
			faults = append(faults, fmt.Errorf("%s: unknown operation; there are %s", path,
				strings.Join(slices.Sorted(maps.Keys(offered)), ", ")))
			continue
		}
		compiled, errs := compileOperation(name, cfg)
		for _, err := range errs {
			faults = append(faults, fmt.Errorf("%s.%w", path, err))
		}
		operations[name] = compiled
	}
	return operations, errors.Join(faults...)
}

func checkBase(cfg Config) error {
	if cfg.BaseURL == "" {
		if len(cfg.Operations) == 0 {
			return nil
		}
		return errors.New("base_url: is missing")
	}
	base, err := url.Parse(cfg.BaseURL)
	switch {
	case err != nil, base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return errors.New("base_url: is not an address such as https://vendor.example/api")
	case base.User != nil:
		return errors.New("base_url: must not hold a user name or password")
	case base.RawQuery != "" || base.Fragment != "":
		return errors.New("base_url: must not hold a query or fragment")
	}
	return nil
}

func compileOperation(name string, cfg Config) (operation, []error) {
	source := cfg.Operations[name]
	compiled := operation{name: name}
	var faults []error
	if e := source.Expect; e != nil {
		compiled.expect = *e
		if e.Items < 1 {
			faults = append(faults, errors.New("expect.items: must be at least 1"))
		}
		if e.ElseFail == "" {
			faults = append(faults, errors.New("expect.else_fail: is missing: the reason that the customer reads"))
		}
	}
	if len(source.Calls) == 0 {
		faults = append(faults, errors.New("calls: is empty: nothing would be done, and every request approved"))
	}
	names := make(map[string]bool)
	for i, c := range source.Calls {
		path := fmt.Sprintf("calls[%d]", i)
		if c.Name != "" {
			path += " (" + c.Name + ")"
		}
		if names[c.Name] && c.Name != "" {
			faults = append(faults, fmt.Errorf("%s: another call has the same name", path))
		}
		names[c.Name] = true
		made, errs := compileCall(c, cfg)
		for _, err := range errs {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		}
		compiled.calls = append(compiled.calls, made)
	}
	return compiled, append(faults, usedTooEarly(compiled)...)
}

// usedTooEarly finds the parameters that a purchase uses before it has them.
// Other operations may use a value of which they then save another.
func usedTooEarly(o operation) []error {
	if o.name != purchase {
		return nil
	}
	var faults []error
	known := make(map[string]bool)
	for i, c := range o.calls {
		for _, name := range append(c.path.placeholders(), bodyPlaceholders(c.body)...) {
			param, isParam := strings.CutPrefix(name, "params.")
			later := slices.ContainsFunc(o.calls[i:], func(c call) bool { return c.save[param] != "" })
			if isParam && later && !known[param] {
				faults = append(faults, fmt.Errorf("calls[%d] (%s): uses {%s} before it is saved", i, c.name, name))
			}
		}
		for param := range c.save {
			known[param] = true
		}
	}
	return faults
}

func compileCall(source Call, cfg Config) (call, []error) {
	compiled := call{
		name: source.Name, method: source.Method, base: strings.TrimRight(cfg.BaseURL, "/"), shownPath: source.Path,
		kind: source.Idempotency, save: source.Save, done: source.Done, timeout: cmp.Or(cfg.Timeout, DefaultTimeout),
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if source.Name == "" {
		fault("name: is missing: the effect is remembered by it")
	}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	if !slices.Contains(methods, source.Method) {
		fault("method: %q is none of %s", source.Method, strings.Join(methods, ", "))
	}
	kinds := []Idempotency{Key, Repeatable, None}
	switch {
	case source.Idempotency == "":
		fault("idempotency: is missing: what happens when the call is made twice? (key, repeatable or none)")
	case !slices.Contains(kinds, source.Idempotency):
		fault("idempotency: %q is none of key, repeatable, none", source.Idempotency)
	}
	var err error
	if compiled.path, err = parsePath(source.Path); err != nil {
		fault("path: %w", err)
	}
	if compiled.body, err = parseBody(source.Body); err != nil {
		fault("body: %w", err)
	}
	if source.Method == http.MethodGet && source.Body != nil {
		fault("body: a GET has none")
	}
	for _, param := range slices.Sorted(maps.Keys(source.Save)) {
		if param == "" {
			fault("save: a parameter's ID is empty")
		}
		if !pointerSyntax.MatchString(source.Save[param]) {
			fault("save.%s: %q is no JSON Pointer, such as /tenantId", param, source.Save[param])
		}
	}
	for _, status := range source.Done {
		if status < 400 || status > 499 {
			fault("done: %d is no status from 400 to 499; 2xx is done anyway", status)
		}
	}
	return compiled, faults
}

// parsePath reads a path and refuses what would lead away from the base.
func parsePath(path string) (text, error) {
	parsed, err := parseText(path)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q does not begin with a slash", path)
	}
	for _, p := range parsed {
		if strings.ContainsAny(p.literal, "?#\\ ") {
			return nil, fmt.Errorf("%q holds a character that no path has: one of ? # \\ and space", path)
		}
	}
	if leadsElsewhere(path) {
		return nil, fmt.Errorf("%q has a segment . or .., which leads elsewhere", path)
	}
	return parsed, nil
}
