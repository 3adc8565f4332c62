package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// TemplateKey names a template of a product.
type TemplateKey struct {
	ProductID string
	Scope     TemplateScope
	Type      TemplateType

	// NameOrID is the template's ID or its exact name. Empty means the only
	// one of that scope and type or, for activation templates of assets, the
	// one with the name that Connect gives it in a new product.
	NameOrID string
}

// defaultName is the name that Connect gives a new product's activation
// template.
const defaultName = "Default Activation Template"

// TemplateError is a product without the template that was asked for, or with
// several that fit. It is a fault of the product's configuration.
type TemplateError struct {
	Key   TemplateKey
	Found []Template // of that scope and type
	fits  int
}

// Error names what the product has instead.
func (e *TemplateError) Error() string {
	wanted := fmt.Sprintf("a template of scope %s and type %s", e.Key.Scope, e.Key.Type)
	if e.Key.NameOrID != "" {
		wanted = fmt.Sprintf("template %q of scope %s and type %s", e.Key.NameOrID, e.Key.Scope, e.Key.Type)
	}
	has := "none"
	if len(e.Found) > 0 {
		names := make([]string, len(e.Found))
		for i, t := range e.Found {
			names[i] = fmt.Sprintf("%s %q", t.ID, t.Name)
		}
		has = strings.Join(names, ", ")
	}
	return fmt.Sprintf("finding %s in product %s: %d fit; it has %s", wanted, e.Key.ProductID, e.fits, has)
}

// TemplateCache finds templates by name or ID and remembers a product's
// templates for a time. It is safe for concurrent use.
type TemplateCache struct {
	reader TemplateReader
	ttl    time.Duration
	now    func() time.Time

	mu      sync.Mutex
	entries map[TemplateKey]*templateEntry // NameOrID is empty in these keys
}

// TemplateReader reads a product's templates; Client is one.
type TemplateReader interface {
	Templates(ctx context.Context, productID string, scope TemplateScope, typ TemplateType) ([]Template, error)
}

// templateEntry is a list that is read, or being read by one caller while the
// others wait for done.
type templateEntry struct {
	done      chan struct{}
	templates []Template
	err       error
	canceled  bool // the caller that was reading gave up
	until     time.Time
}

// errNotRead is an entry whose reader did not come back.
var errNotRead = errors.New("reading the templates did not end")

// NewTemplateCache returns a cache of what reader reads, kept for ttl.
func NewTemplateCache(reader TemplateReader, ttl time.Duration, now func() time.Time) *TemplateCache {
	return &TemplateCache{reader: reader, ttl: ttl, now: now, entries: make(map[TemplateKey]*templateEntry)}
}

// Forget drops what is remembered of the product.
func (c *TemplateCache) Forget(productID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.entries {
		if key.ProductID == productID {
			delete(c.entries, key)
		}
	}
}

// Resolve finds a template. It returns a *TemplateError when none or several
// fit, and the reader's error when the list cannot be read.
func (c *TemplateCache) Resolve(ctx context.Context, key TemplateKey) (Template, error) {
	templates, err := c.list(ctx, key)
	if err != nil {
		return Template{}, err
	}
	return pick(key, templates)
}

// list returns the product's templates. Concurrent callers share the call of
// the first one and its error, unless the first one gave up: then another of
// them calls. An error is not remembered.
func (c *TemplateCache) list(ctx context.Context, key TemplateKey) ([]Template, error) {
	key.NameOrID = ""
	for {
		c.mu.Lock()
		entry, known := c.entries[key]
		if !known || c.expired(entry) {
			entry = &templateEntry{done: make(chan struct{})}
			c.entries[key] = entry
			c.mu.Unlock()
			return c.fill(ctx, key, entry)
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-entry.done:
		}
		if !entry.canceled {
			return entry.templates, entry.err
		}
	}
}

// expired reports whether the entry was read too long ago. c.mu is held.
func (c *TemplateCache) expired(entry *templateEntry) bool {
	select {
	case <-entry.done:
		return !c.now().Before(entry.until)
	default:
		return false
	}
}

func (c *TemplateCache) fill(ctx context.Context, key TemplateKey, entry *templateEntry) ([]Template, error) {
	entry.err = errNotRead
	defer func() { // also when the reader panics: nobody must wait for ever
		c.mu.Lock()
		defer c.mu.Unlock()
		entry.until = c.now().Add(c.ttl)
		if entry.err != nil && c.entries[key] == entry {
			delete(c.entries, key)
		}
		close(entry.done)
	}()
	entry.templates, entry.err = c.reader.Templates(ctx, key.ProductID, key.Scope, key.Type)
	entry.canceled = entry.err != nil && ctx.Err() != nil
	return entry.templates, entry.err
}

// pick matches by ID, then by name.
func pick(key TemplateKey, templates []Template) (Template, error) {
	wanted := key.NameOrID
	if wanted == "" && len(templates) > 1 && key.Scope == ScopeAsset && key.Type == TemplateFulfillment {
		wanted = defaultName
	}
	var fit []Template
	for _, t := range templates {
		if t.ID == wanted && wanted != "" {
			return t, nil
		}
		if t.Name == wanted || wanted == "" {
			fit = append(fit, t)
		}
	}
	if len(fit) != 1 {
		return Template{}, &TemplateError{Key: key, Found: templates, fits: len(fit)}
	}
	return fit[0], nil
}
