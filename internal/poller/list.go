package poller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/connect-processor/connect-processor/connect"
	"github.com/connect-processor/connect-processor/internal/queue"
)

// list collects every pending request of the configured products.
func (p *Poller) list(ctx context.Context) ([]queue.Item, Report, error) {
	report := Report{NotOffered: make(map[string]int)}
	began := p.cfg.Now()
	seen := make(map[string]bool)
	var items []queue.Item
	for request, err := range p.cfg.Lister.Requests(ctx, p.query()) {
		if broken, ok := errors.AsType[*connect.DecodeError](err); ok {
			report.Unreadable++
			p.cfg.Log.WarnContext(ctx, "a listed request does not decode", "request_id", broken.ID, "error", broken.Err)
			continue
		}
		if err != nil {
			return items, report, fmt.Errorf("listing what is pending: %w", err)
		}
		product := request.Asset.Product.ID
		switch {
		case seen[request.ID]:
			continue
		case !p.wanted(request):
			report.Foreign++
			continue
		case !p.cfg.Offers(product, request.Type, request.Status):
			report.NotOffered[taskType(request)]++
			continue
		}
		seen[request.ID] = true
		items = append(items, queue.Item{
			Task: queue.Task{
				Request: request.ID, Asset: request.Asset.ID, Product: product,
				Type: taskType(request), Lane: p.cfg.Lane(product),
			},
			Updated: string(request.Updated), Listed: began,
		})
	}
	report.Pending = len(items)
	return items, report, nil
}

// wanted reports whether the request is one that was asked for: a server may
// ignore a filter that it does not know.
func (p *Poller) wanted(r *connect.Request) bool {
	environment := r.Asset.Connection.Type
	return r.ID != "" && slices.Contains(p.cfg.Products, r.Asset.Product.ID) &&
		(environment == "" || slices.Contains(p.cfg.Environments, environment)) &&
		(r.Status == connect.StatusPending || r.Status == connect.StatusRevoking)
}

func taskType(r *connect.Request) string {
	if r.Status == connect.StatusRevoking {
		return "revoke"
	}
	return string(r.Type)
}

func (p *Poller) query() connect.Query {
	statuses := []string{string(connect.StatusPending)}
	for _, product := range p.cfg.Products {
		if p.cfg.Offers(product, connect.TypePurchase, connect.StatusRevoking) {
			statuses = append(statuses, string(connect.StatusRevoking))
			break
		}
	}
	return connect.Query{
		Filter: connect.And(
			connect.In("asset.product.id", p.cfg.Products...),
			connect.In("asset.connection.type", p.cfg.Environments...),
			connect.In("status", statuses...),
		),
		Select:   []string{"-asset.items", "-asset.params", "-asset.configuration", "-asset.tiers", "-activation_key", "-template"},
		Ordering: []string{"created"},
		PageSize: p.cfg.PageSize,
	}
}
