package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/config"
)

// A Finding is one line of a check.
type Finding struct {
	OK      bool   `json:"ok"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Hint    string `json:"hint,omitempty"` // what to do, when not OK
}

// Check looks at everything that serving needs, and changes nothing anywhere.
// The error is of a configuration that cannot be used at all.
func Check(ctx context.Context, o Options) ([]Finding, error) {
	p, err := assemble(o)
	if err != nil {
		return nil, err
	}
	defer p.close()
	findings := []Finding{p.checkRedis(ctx)}
	findings = append(findings, p.checkConnect(ctx)...)
	return append(findings, p.checkVendors(ctx)...), nil
}

func (p *parts) checkRedis(ctx context.Context) Finding {
	const subject = "redis"
	if p.options.Config.Redis.URL == "" {
		return Finding{Subject: subject, Text: "redis.url is missing", Hint: "set REDIS_URL, or use `serve --dev`"}
	}
	if err := reach(ctx, p.rdb); err != nil {
		return Finding{Subject: subject, Text: inner(err).Error(), Hint: "is Redis running, and is redis.url (REDIS_URL) right?"}
	}
	policy := p.rdb.ConfigGet(ctx, "maxmemory-policy").Val()["maxmemory-policy"]
	if policy != "" && policy != "noeviction" {
		return Finding{
			Subject: subject, Text: "answers, but its maxmemory-policy is " + policy,
			Hint: "set maxmemory-policy noeviction: a Redis that evicts loses tasks",
		}
	}
	return Finding{OK: true, Subject: subject, Text: "answers"}
}

// checkConnect looks at the key, and at each product and its template.
func (p *parts) checkConnect(ctx context.Context) []Finding {
	endpoint := p.options.Config.Connect.Endpoint
	if err := p.reachConnect(ctx); err != nil {
		return []Finding{{Subject: "connect", Text: err.Error(), Hint: connectHint(err, endpoint)}}
	}
	findings := []Finding{{OK: true, Subject: "connect", Text: "accepts the key at " + endpoint}}
	templates := connect.NewTemplateCache(p.connect, templateCache, p.options.Now)
	for _, product := range p.options.Config.Products {
		findings = append(findings, p.checkProduct(ctx, templates, product))
	}
	return findings
}

// reachConnect asks Connect for as little as it can: one request. It does not
// matter whether that one can be read.
func (p *parts) reachConnect(ctx context.Context) error {
	query := connect.Query{Filter: connect.In("asset.product.id", p.productIDs()...), PageSize: 1}
	for _, err := range p.connect.Requests(ctx, query) {
		if _, read := errors.AsType[*connect.DecodeError](err); read {
			return nil
		}
		return err
	}
	return nil
}

func (p *parts) checkProduct(ctx context.Context, templates *connect.TemplateCache, product config.Product) Finding {
	subject := "product " + product.ID
	found, err := p.connect.Product(ctx, product.ID)
	if err != nil {
		hint := connectHint(err, p.options.Config.Connect.Endpoint)
		if connect.StatusOf(err) == http.StatusNotFound {
			hint = "is the ID right, and does the key belong to the product's vendor? (products, PRODUCTS)"
		}
		return Finding{Subject: subject, Text: err.Error(), Hint: hint}
	}
	template, err := templates.Resolve(ctx, connect.TemplateKey{
		ProductID: product.ID, Scope: connect.ScopeAsset, Type: connect.TemplateFulfillment,
		NameOrID: p.options.Config.Template(product.ID),
	})
	if err != nil {
		return Finding{Subject: subject, Text: err.Error(), Hint: "create the template on Connect, or name another one in products[].template"}
	}
	text := fmt.Sprintf("%s, approved with template %s (%s)", found.Name, template.ID, template.Name)
	if missing := p.vendors.missing(product.ID); len(missing) > 0 {
		text += "; nobody answers " + strings.Join(missing, ", ") + ": such requests stay pending"
	}
	return Finding{OK: true, Subject: subject, Text: text}
}

func connectHint(err error, endpoint string) string {
	versioned := strings.HasSuffix(strings.TrimRight(endpoint, "/"), "/public/v1")
	switch status := connect.StatusOf(err); {
	case status == 0:
		return "is connect.endpoint (CONNECT_ENDPOINT) right, and reachable from here? " + endpoint
	case status == http.StatusUnauthorized:
		return "connect.api_key (CONNECT_API_KEY) is wrong or has expired"
	case status == http.StatusForbidden:
		return "the key lacks a permission: give its token the modules Subscriptions and Products"
	case !versioned && status < http.StatusInternalServerError:
		return "connect.endpoint (CONNECT_ENDPOINT) must include /public/v1: " + endpoint
	case status == http.StatusNotFound:
		return "is there a Connect at connect.endpoint (CONNECT_ENDPOINT)? " + endpoint
	default:
		return "Connect is not well; try again later"
	}
}

// checkVendors asks each configured vendor's address for any answer at all.
func (p *parts) checkVendors(ctx context.Context) []Finding {
	var findings []Finding
	all := p.options.Config.AllVendors()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].BaseURL != "" {
			findings = append(findings, p.checkVendor(ctx, name, all[name].BaseURL))
		}
	}
	return findings
}

func (p *parts) checkVendor(ctx context.Context, name, baseURL string) Finding {
	subject := "vendor " + name
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, baseURL, http.NoBody)
	if err == nil {
		var response *http.Response
		response, err = p.vendors.http.Do(request)
		if err == nil {
			_ = response.Body.Close()
			return Finding{OK: true, Subject: subject, Text: "answers at " + baseURL}
		}
	}
	key := "vendors." + name + ".base_url"
	if name == "default" {
		key = "vendor.base_url (VENDOR_BASE_URL)"
	}
	return Finding{Subject: subject, Text: inner(err).Error(), Hint: "is " + key + " right, and reachable from here? " + baseURL}
}

// inner drops an error's outermost words, where a finding's hint says the same.
func inner(err error) error {
	if wrapped := errors.Unwrap(err); wrapped != nil {
		return wrapped
	}
	return err
}
