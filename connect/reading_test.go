package connect_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/connect-processor/connect-processor/connect"
)

func TestOtherObjectsAreReadFromTheirPlaces(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "connect-go" {
			t.Errorf("sent by %q", got)
		}
		switch r.Method + " " + r.URL.Path {
		case "GET /assets/AS-1":
			_, _ = io.WriteString(w, `{"id":"AS-1","status":"active"}`)
		case "GET /assets":
			_, _ = io.WriteString(w, `[{"id":"AS-2"}]`)
		case "GET /assets/AS-1/requests":
			_, _ = io.WriteString(w, `[{"id":"PR-1"}]`)
		case "GET /products/PRD-1":
			_, _ = io.WriteString(w, `{"id":"PRD-1","capabilities":{"subscription":{"hold":true}}}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	asset, err := client.Asset(t.Context(), "AS-1")
	if err != nil || asset.Status != connect.AssetActive || len(asset.Raw) == 0 {
		t.Errorf("asset %+v, %v", asset, err)
	}
	for asset, err := range client.Assets(t.Context(), connect.Query{}) {
		if err != nil || asset.ID != "AS-2" {
			t.Errorf("listed asset %+v, %v", asset, err)
		}
	}
	for request, err := range client.AssetRequests(t.Context(), "AS-1") {
		if err != nil || request.ID != "PR-1" {
			t.Errorf("the asset's request %+v, %v", request, err)
		}
	}
	product, err := client.Product(t.Context(), "PRD-1")
	if err != nil || !product.Capabilities.Hold {
		t.Errorf("product %+v, %v", product, err)
	}
	if _, err := client.Product(t.Context(), "PRD-2"); connect.StatusOf(err) != http.StatusNotFound {
		t.Errorf("a missing product: %v", err)
	}
}
