package emulator

import (
	"net/http"
	"slices"
)

func (s *Server) assetRoutes() []route {
	return []route{
		on("GET", "/assets", func(c *call) (reply, *refusal) {
			q, refused := s.parseQuery(c.request)
			if refused != nil {
				return reply{}, refused
			}
			return page(q, slices.Values(s.state.assetCandidates(q.filter)), assetField, q.asset)
		}),
		on("GET", "/assets/{id}", s.ofAsset(func(c *call, a *asset) (reply, *refusal) {
			q, refused := s.parseQuery(c.request)
			if refused != nil {
				return reply{}, refused
			}
			return rawReply(http.StatusOK, q.asset(nil, a)), nil
		})),
		on("GET", "/assets/{id}/requests", s.ofAsset(func(c *call, a *asset) (reply, *refusal) {
			q, refused := s.parseQuery(c.request)
			if refused != nil {
				return reply{}, refused
			}
			return page(q, slices.Values(a.requests), s.state.requestField, q.request)
		})),
		on("GET", "/assets/{id}/render", s.ofAsset(func(_ *call, a *asset) (reply, *refusal) {
			if a.template == nil {
				return jsonReply(http.StatusOK, ""), nil
			}
			return jsonReply(http.StatusOK, a.template.body), nil
		})),
	}
}

func (s *Server) ofAsset(serve func(*call, *asset) (reply, *refusal)) func(*call) (reply, *refusal) {
	return func(c *call) (reply, *refusal) {
		a := s.state.assetByID[c.args["id"]]
		if a == nil {
			return reply{}, notFound("Asset does not exist.")
		}
		return serve(c, a)
	}
}

func (s *state) assetCandidates(filter *node) []*asset {
	ids, ok := filter.pinned("id")
	if !ok {
		return s.assets
	}
	var found []*asset
	for _, id := range ids {
		if a := s.assetByID[id]; a != nil {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b *asset) int { return a.number - b.number })
	return found
}
