package connect_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

// templates is a connect.TemplateReader.
type templates func(ctx context.Context) ([]connect.Template, error)

func (f templates) Templates(ctx context.Context, _ string, _ connect.TemplateScope, _ connect.TemplateType) ([]connect.Template, error) {
	return f(ctx)
}

// counted returns a reader of list and the count of its calls.
func counted(list ...connect.Template) (templates, *int) {
	calls := new(int)
	return func(context.Context) ([]connect.Template, error) {
		*calls++
		return list, nil
	}, calls
}

var (
	activation = connect.TemplateKey{ProductID: "PRD-1", Scope: connect.ScopeAsset, Type: connect.TemplateFulfillment}

	one   = connect.Template{ID: "TL-1", Name: "One"}
	other = connect.Template{ID: "TL-2", Name: "Other"}
	twin  = connect.Template{ID: "TL-3", Name: "One"}
	named = connect.Template{ID: "TL-4", Name: "Default Activation Template"}
	trap  = connect.Template{ID: "TL-5", Name: "TL-1"}
)

func TestTemplatesAreMatchedByIDThenByName(t *testing.T) {
	inquiry := activation
	inquiry.Type = connect.TemplateInquire
	rows := []struct {
		name   string
		key    connect.TemplateKey
		wanted string
		list   []connect.Template
		want   string // "" for none
	}{
		{"by ID", activation, "TL-2", []connect.Template{one, other}, "TL-2"},
		{"by name", activation, "Other", []connect.Template{one, other}, "TL-2"},
		{"an ID wins over a name", activation, "TL-1", []connect.Template{trap, one}, "TL-1"},
		{"two of the name", activation, "One", []connect.Template{one, twin}, ""},
		{"none of the name", activation, "one", []connect.Template{one, other}, ""},
		{"none at all", activation, "", nil, ""},
		{"the only one", activation, "", []connect.Template{one}, "TL-1"},
		{"the default of several", activation, "", []connect.Template{one, named}, "TL-4"},
		{"no default among several", activation, "", []connect.Template{one, other}, ""},
		{"no default for inquiries", inquiry, "", []connect.Template{one, named}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			reader, _ := counted(row.list...)
			row.key.NameOrID = row.wanted
			got, err := connect.NewTemplateCache(reader, time.Minute, time.Now).Resolve(t.Context(), row.key)
			if got.ID != row.want {
				t.Errorf("got %+v, %v", got, err)
			}
			if row.want != "" {
				return
			}
			e, ok := errors.AsType[*connect.TemplateError](err)
			if !ok {
				t.Fatalf("%T %v, want a *TemplateError", err, err)
			}
			if diff := cmp.Diff(row.list, e.Found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			for _, t2 := range row.list {
				if !strings.Contains(err.Error(), t2.ID+` "`+t2.Name+`"`) {
					t.Errorf("%q does not name %s", err, t2.ID)
				}
			}
		})
	}
}

func TestTemplatesAreRememberedForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, calls := counted(one)
		cache := connect.NewTemplateCache(reader, time.Minute, time.Now)
		resolve := func(wantCalls int) {
			t.Helper()
			if _, err := cache.Resolve(t.Context(), activation); err != nil || *calls != wantCalls {
				t.Errorf("%d calls, want %d; %v", *calls, wantCalls, err)
			}
		}
		resolve(1)
		<-time.After(59 * time.Second)
		resolve(1)
		<-time.After(time.Second)
		resolve(2)
		cache.Forget("PRD-2")
		resolve(2)
		cache.Forget("PRD-1")
		resolve(3)
	})
}

func TestConcurrentResolvesShareOneCall(t *testing.T) {
	for name, answer := range map[string]error{"templates": nil, "an error": errors.New("503")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, release := 0, make(chan struct{})
				cache := connect.NewTemplateCache(templates(func(context.Context) ([]connect.Template, error) {
					calls++
					<-release
					return []connect.Template{one}, answer
				}), time.Minute, time.Now)
				var group sync.WaitGroup
				for range 20 {
					group.Go(func() {
						if _, err := cache.Resolve(t.Context(), activation); !errors.Is(err, answer) {
							t.Errorf("got %v, want %v", err, answer)
						}
					})
				}
				synctest.Wait()
				close(release)
				group.Wait()
				if calls != 1 {
					t.Errorf("%d calls", calls)
				}
			})
		})
	}
}

func TestAnErrorIsNotRemembered(t *testing.T) {
	calls := 0
	cache := connect.NewTemplateCache(templates(func(context.Context) ([]connect.Template, error) {
		if calls++; calls == 1 {
			return nil, errors.New("503")
		}
		return []connect.Template{one}, nil
	}), time.Minute, time.Now)
	_, before := cache.Resolve(t.Context(), activation)
	_, after := cache.Resolve(t.Context(), activation)
	if before == nil || after != nil {
		t.Errorf("got %v, then %v", before, after)
	}
}

func TestWhoGivesUpDoesNotTakeTheOthersAlong(t *testing.T) {
	for _, leader := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			cache := connect.NewTemplateCache(templates(func(ctx context.Context) ([]connect.Template, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-release:
					return []connect.Template{one}, nil
				}
			}), time.Minute, time.Now)
			impatient, giveUp := context.WithCancel(t.Context())
			contexts := map[bool]context.Context{leader: impatient, !leader: t.Context()}
			results := map[bool]chan error{true: make(chan error, 1), false: make(chan error, 1)}
			for _, who := range []bool{true, false} { // the leader comes first
				go func() {
					_, err := cache.Resolve(contexts[who], activation)
					results[who] <- err
				}()
				synctest.Wait()
			}
			giveUp()
			if err := <-results[leader]; !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up got %v", err)
			}
			close(release)
			if err := <-results[!leader]; err != nil {
				t.Errorf("who waited on got %v", err)
			}
		})
	}
}

func TestAPanicOfTheReaderLocksNobodyOut(t *testing.T) {
	calls := 0
	cache := connect.NewTemplateCache(templates(func(context.Context) ([]connect.Template, error) {
		if calls++; calls == 1 {
			panic("a defect")
		}
		return []connect.Template{one}, nil
	}), time.Minute, time.Now)
	func() {
		defer func() { _ = recover() }()
		_, _ = cache.Resolve(t.Context(), activation)
	}()
	if _, err := cache.Resolve(t.Context(), activation); err != nil {
		t.Error(err)
	}
}

func TestTemplatesAreFilteredAgain(t *testing.T) {
	var query string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.Path + "?" + r.URL.RawQuery
		_, _ = io.WriteString(w, `[{"id":"TL-1","scope":"asset","type":"fulfillment"},{"id":"TL-2","scope":"asset","type":"inquire"},`+
			`{"id":"TL-3","scope":"tier1","type":"fulfillment"},{"id":"TL-4","scope":"asset","type":null},7]`)
	})
	list, err := client.Templates(t.Context(), "PRD-1", connect.ScopeAsset, connect.TemplateFulfillment)
	if err != nil {
		t.Fatal(err)
	}
	want := []connect.Template{{ID: "TL-1", Scope: "asset", Type: "fulfillment"}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "/products/PRD-1/templates?eq(scope,asset)&eq(type,fulfillment)&limit=100&offset=0"; query != want {
		t.Errorf("asked %s", query)
	}
}

func TestATemplateWithoutATypeFitsWhereNoneHasIt(t *testing.T) {
	client := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"id":"TL-2","scope":"asset","type":"inquire"},{"id":"TL-4","scope":"asset","type":null}]`)
	})
	list, err := client.Templates(t.Context(), "PRD-1", connect.ScopeAsset, connect.TemplateFulfillment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]connect.Template{{ID: "TL-4", Scope: "asset"}}, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
