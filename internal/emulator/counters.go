package emulator

import "maps"

// counters say what arrived (calls, whatever became of them) and what took effect (decisions).
type counters struct {
	calls      map[string]int
	decisions  map[string]map[string]int // by request ID and action
	missingKey int
}

func newCounters() *counters {
	return &counters{calls: map[string]int{}, decisions: map[string]map[string]int{}}
}

func (n *counters) arrived(target, method, pattern string) {
	name := method + " " + pattern
	if target != targetConnect {
		name = target + " " + name
	}
	n.calls[name]++
}

func (n *counters) decided(request, action string) {
	if n.decisions[request] == nil {
		n.decisions[request] = map[string]int{}
	}
	n.decisions[request][action]++
}

// report is served by the control plane. It is encoded under the lock, so nothing is copied but what is derived.
func (n *counters) report(s *state) map[string]any {
	approvals := map[string]int{}
	for request, actions := range n.decisions {
		if count := actions["approve"]; count > 0 {
			approvals[request] = count
		}
	}
	byRequest := map[string]int{}
	duplicates := 0
	for _, t := range s.tenants {
		if t.request == "" {
			continue
		}
		if byRequest[t.request]++; byRequest[t.request] > 1 {
			duplicates++
		}
	}
	byStatus := map[string]int{}
	for _, r := range s.requests {
		byStatus[r.status]++
	}
	return map[string]any{
		"calls":              maps.Clone(n.calls),
		"approvals":          approvals,
		"decisions":          n.decisions,
		"tenants":            len(s.tenants),
		"tenants_by_request": byRequest,
		"duplicates":         duplicates,
		"missing_key":        n.missingKey,
		"requests_by_status": byStatus,
	}
}
