package connect_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/connect-processor/connect-processor/connect"
)

// exampleServer stands for Connect.
func exampleServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"id":"PR-1","status":"approved"}`)
			return
		}
		w.Header().Set("Content-Range", "items 0-1/2")
		_, _ = io.WriteString(w, `[
			{"id":"PR-1","type":"purchase","asset":{"items":[{"mpn":"SEAT","quantity":"10"}]}},
			{"id":"PR-2","type":"change","asset":{"items":[{"mpn":"SEAT","quantity":"unlimited","old_quantity":10}]}}]`)
	}))
}

func ExampleClient_Requests() {
	server := exampleServer()
	defer server.Close()
	client, err := connect.New(connect.Config{Endpoint: server.URL, APIKey: "SU-000-000-000:secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pending := connect.Query{Filter: connect.Eq("status", "pending"), Ordering: []string{"created"}}
	for request, err := range client.Requests(context.Background(), pending) {
		if err != nil {
			fmt.Println(err)
			continue // the list goes on after what cannot be decoded, and ends by itself after anything else
		}
		for _, item := range request.Asset.Items {
			fmt.Println(request.ID, request.Type, item.MPN, item.Quantity)
		}
	}
	// Output:
	// PR-1 purchase SEAT 10
	// PR-2 change SEAT unlimited
}

func ExampleClient_ApproveRequest() {
	server := exampleServer()
	defer server.Close()
	client, err := connect.New(connect.Config{Endpoint: server.URL, APIKey: "SU-000-000-000:secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := client.ApproveRequest(context.Background(), "PR-1", connect.Approval{TemplateID: "TL-111-222-333"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(request.ID, request.Status)
	// Output: PR-1 approved
}

func ExampleFilter() {
	fmt.Println(connect.And(
		connect.In("asset.product.id", "PRD-100-200-300", "PRD-100-200-301"),
		connect.Or(connect.Eq("status", "pending"), connect.Eq("status", "revoking")),
		connect.Like("asset.tiers.customer.name", "*Smith, Inc*"),
	))
	// Output:
	// and(in(asset.product.id,(PRD-100-200-300,PRD-100-200-301)),or(eq(status,pending),eq(status,revoking)),like(asset.tiers.customer.name,"*Smith, Inc*"))
}
