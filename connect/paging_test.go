package connect_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

// collection serves numbered requests and counts the calls.
type collection struct {
	size     int
	pageSize int // at most this many, whatever is asked; 0: as asked
	calls    int
	total    func(size int) string // the end of Content-Range
	element  func(i int) string
}

func (c *collection) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.calls++
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	if c.pageSize > 0 {
		limit = min(limit, c.pageSize)
	}
	var elements []string
	for i := offset; i < min(offset+limit, c.size); i++ {
		if c.element == nil {
			elements = append(elements, fmt.Sprintf(`{"id":"PR-%d"}`, i))
		} else {
			elements = append(elements, c.element(i))
		}
	}
	total := strconv.Itoa(c.size)
	if c.total != nil {
		total = c.total(c.size)
	}
	if total != "" {
		w.Header().Set("Content-Range", fmt.Sprintf("items %d-%d/%s", offset, offset+len(elements)-1, total))
	}
	_, _ = io.WriteString(w, "["+strings.Join(elements, ",")+"]")
}

// collect returns the IDs, the decode errors passed over, and what ended the
// list.
func collect(t *testing.T, client *connect.Client, q connect.Query) (ids []string, broken []*connect.DecodeError, end error) {
	t.Helper()
	for request, err := range client.Requests(t.Context(), q) {
		if end != nil {
			t.Fatalf("the list went on after %v", end)
		}
		fault, unreadable := errors.AsType[*connect.DecodeError](err)
		switch {
		case unreadable:
			broken = append(broken, fault)
		case err != nil:
			end = err
		default:
			ids = append(ids, request.ID)
		}
	}
	return ids, broken, end
}

func numbered(count int) []string {
	var ids []string
	for i := range count {
		ids = append(ids, fmt.Sprintf("PR-%d", i))
	}
	return ids
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	unknown := func(int) string { return "*" }
	rows := []struct {
		name  string
		c     collection
		asked int
		want  int
		calls int
	}{
		{"several pages", collection{size: 250}, 100, 250, 3},
		{"a full last page", collection{size: 200}, 100, 200, 2},
		{"the server pages at 100 whatever is asked", collection{size: 250, pageSize: 100}, 500, 250, 3},
		{"nothing", collection{}, 100, 0, 1},
		{"no Content-Range: one page", collection{size: 250, total: func(int) string { return "" }}, 100, 100, 1},
		{"unknown total", collection{size: 250, total: unknown}, 100, 250, 4},
		{"a total that is too high", collection{size: 150, total: func(int) string { return "400" }}, 100, 150, 3},
		{"more than the most", collection{size: 1500}, 5000, 1500, 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ids, broken, err := collect(t, newClient(t, row.c.ServeHTTP), connect.Query{PageSize: row.asked})
			if err != nil || len(broken) > 0 {
				t.Fatal(err, broken)
			}
			if diff := cmp.Diff(numbered(row.want), ids); diff != "" {
				t.Errorf("IDs (-want +got):\n%s", diff)
			}
			if row.c.calls != row.calls {
				t.Errorf("%d calls, want %d", row.c.calls, row.calls)
			}
		})
	}
}

func TestAListThatShrinksEnds(t *testing.T) {
	c := collection{size: 250}
	c.total = func(size int) string {
		c.size -= 50
		return strconv.Itoa(size)
	}
	ids, _, err := collect(t, newClient(t, c.ServeHTTP), connect.Query{})
	if err != nil || len(ids) != 200 || c.calls != 2 {
		t.Errorf("%d IDs in %d calls, %v", len(ids), c.calls, err)
	}
}

func TestAServerThatIgnoresTheOffsetIsNoticed(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "items 0-0/3")
		_, _ = io.WriteString(w, `[{"id":"PR-0"}]`)
	})
	ids, broken, err := collect(t, client, connect.Query{})
	if err == nil || len(broken) > 0 {
		t.Errorf("got %v %v, want an error that ends the list", err, broken)
	}
	if diff := cmp.Diff(numbered(1), ids); diff != "" {
		t.Error(diff)
	}
}

func TestABadElementDoesNotHideTheOthers(t *testing.T) {
	for name, bad := range map[string]string{
		"text": `"PR-3"`, "null": `null`, "list": `[]`, "no syntax": `{"id":"PR-3",}`, "no value": ``,
	} {
		t.Run(name, func(t *testing.T) {
			c := collection{size: 10, element: func(i int) string {
				if i == 3 {
					return bad
				}
				return fmt.Sprintf(`{"id":"PR-%d"}`, i)
			}}
			ids, broken, err := collect(t, newClient(t, c.ServeHTTP), connect.Query{PageSize: 5})
			if err != nil {
				t.Fatal(err)
			}
			if len(broken) != 1 || !strings.HasPrefix(string(broken[0].Raw), bad) || !strings.Contains(broken[0].Error(), "listing requests") {
				t.Errorf("passed over: %v", broken)
			}
			want := append(numbered(3), numbered(10)[4:]...)
			if diff := cmp.Diff(want, ids); diff != "" {
				t.Errorf("IDs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatBreaksAPageIsNamed(t *testing.T) {
	c := collection{size: 3, element: func(i int) string {
		return fmt.Sprintf(`{"asset":{"id":"AS-%d"},"id":"PR-%d",%s}`, i, i, []string{``, `"a":1`, `"a":1`}[i])
	}}
	ids, broken, err := collect(t, newClient(t, c.ServeHTTP), connect.Query{})
	if err != nil || len(ids) != 2 || len(broken) != 1 {
		t.Fatal(ids, broken, err)
	}
	if _, ok := errors.AsType[*json.SyntaxError](broken[0]); !ok || broken[0].ID != "PR-0" {
		t.Errorf("%q is broken by %v", broken[0].ID, broken[0].Err)
	}
}

func TestAPageThatBreaksWithoutARangeEndsTheList(t *testing.T) {
	client := newClient(t, reply(http.StatusOK, `[{"id":"PR-0"},{"id":},{"id":"PR-2"}]`))
	ids, broken, err := collect(t, client, connect.Query{})
	if err == nil || len(broken) > 0 {
		t.Errorf("got %v %v, want an error that ends the list", err, broken)
	}
	if diff := cmp.Diff(numbered(1), ids); diff != "" {
		t.Error(diff)
	}
}

func TestOneListIsReadByManyAtOnce(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "select") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `[{"id":"PR-0"}]`)
	})
	requests := client.Requests(t.Context(), connect.Query{Select: []string{"-asset"}})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for request, err := range requests {
				if err != nil || request.ID != "PR-0" {
					t.Errorf("got %v, %v", request, err)
				}
			}
		})
	}
	group.Wait()
}

func TestAListWithTooManyBreaksEnds(t *testing.T) {
	c := collection{size: 100, element: func(int) string { return "}" }}
	_, broken, err := collect(t, newClient(t, c.ServeHTTP), connect.Query{})
	if err == nil || len(broken) != 10 || c.calls != 11 {
		t.Errorf("%d passed over in %d calls, %v", len(broken), c.calls, err)
	}
}

func TestWhatIsNoListEndsIt(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"HTML":              reply(http.StatusOK, "<html>"),
		"an object":         reply(http.StatusOK, "{}"),
		"nothing":           reply(http.StatusOK, ""),
		"cut off":           func(w http.ResponseWriter, _ *http.Request) { cutOff(w, `[{"id":"PR-0"},`) },
		"cut in an element": reply(http.StatusOK, `[{"id":"PR-0"},{"id`),
		"cut after one":     reply(http.StatusOK, `[{"id":"PR-0"}`),
		"cut by a proxy": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "items 0-99/250")
			_, _ = io.WriteString(w, `[{"id":"PR-0"},{"id":"PR-1"`)
		},
		"an error": reply(http.StatusBadGateway, ""),
	} {
		t.Run(name, func(t *testing.T) {
			_, broken, err := collect(t, newClient(t, answer), connect.Query{})
			if e, ok := errors.AsType[*connect.Error](err); !ok || !e.Temporary() || len(broken) > 0 {
				t.Errorf("got %v %v, want one temporary *Error", err, broken)
			}
		})
	}
}

func TestASelectThatIsRefusedIsNotTriedAgain(t *testing.T) {
	var queries []string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		if strings.Contains(r.URL.RawQuery, "select") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `[{"id":"PR-0"}]`)
	})
	q := connect.Query{Select: []string{"-asset.items", "-asset.params"}}
	for range 2 {
		if ids, _, err := collect(t, client, q); err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
	}
	want := []string{"select(-asset.items,-asset.params)&limit=100&offset=0", "limit=100&offset=0", "limit=100&offset=0"}
	if diff := cmp.Diff(want, queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}

func TestAQueryThatIsWrongAnywayIsAnError(t *testing.T) {
	calls := 0
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusBadRequest)
	})
	for range 2 {
		_, _, err := collect(t, client, connect.Query{Select: []string{"-asset.items"}})
		if connect.StatusOf(err) != http.StatusBadRequest {
			t.Errorf("got %v", err)
		}
	}
	if calls != 4 {
		t.Errorf("%d calls: a refusal that has another cause was remembered", calls)
	}
}

func TestListingCanStopAnywhere(t *testing.T) {
	c := collection{size: 250}
	for request, err := range newClient(t, c.ServeHTTP).Requests(t.Context(), connect.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if request.ID == "PR-100" {
			break
		}
	}
	if c.calls != 2 {
		t.Errorf("%d calls, want 2", c.calls)
	}
}
