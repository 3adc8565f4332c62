package connect_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connect-processor/connect-processor/connect"
)

func TestFiltersAreWrittenAsTheGrammarReadsThem(t *testing.T) {
	a, b, c := connect.Eq("a", "1"), connect.Ne("b", "2"), connect.Gt("c", "3")
	rows := []struct {
		filter connect.Filter
		want   string
	}{
		{connect.Filter{}, ""},
		{connect.Ge("created", "2026-03-01T10:00:00+00:00"), "ge(created,2026-03-01T10:00:00+00:00)"},
		{connect.Lt("a", "two words"), `lt(a,"two words")`},
		{connect.Le("a", ""), `le(a,"")`},
		{connect.Eq("a", `say "x"`), `eq(a,'say "x"')`},
		{connect.Eq("a", "t"), `eq(a,"t")`},
		{connect.Like("name", "*abc*"), "like(name,*abc*)"},
		{connect.ILike("name", "a,(b)"), `ilike(name,"a,(b)")`},
		{connect.In("asset.product.id", "PRD-1", "a/b"), `in(asset.product.id,(PRD-1,"a/b"))`},
		{connect.Out("a", "1"), "out(a,(1))"},
		{connect.Out("a"), ""},
		{connect.IsNull("a"), "eq(a,null())"},
		{connect.IsEmpty("a"), "eq(a,empty())"},
		{connect.And(), ""},
		{connect.And(a), "eq(a,1)"},
		{connect.And(a, connect.Filter{}, connect.And(b, c)), "and(eq(a,1),ne(b,2),gt(c,3))"},
		{connect.Or(a), "eq(a,1)"},
		{connect.Or(a, connect.And(b, c)), "or(eq(a,1),and(ne(b,2),gt(c,3)))"},
		{connect.Or(a, connect.Filter{}), ""},
		{connect.Not(a), "not(eq(a,1))"},
		{connect.Not(connect.Not(a)), "eq(a,1)"},
		{connect.Not(connect.And(a, b)), "or(not(eq(a,1)),not(ne(b,2)))"},
		{connect.Not(connect.Or(a, b)), "and(not(eq(a,1)),not(ne(b,2)))"},
	}
	for _, row := range rows {
		if got := row.filter.String(); got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}

func TestAFilterThatCannotBeWrittenIsNotSent(t *testing.T) {
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s", r.URL) })
	bad := connect.Eq("a", `"'`)
	for name, filter := range map[string]connect.Filter{
		"both quotes": bad, "in a list": connect.In("a", "1", `"'`), "in and": connect.And(connect.Eq("a", "1"), bad),
		"in or": connect.Or(connect.Eq("a", "1"), bad), "in not": connect.Not(bad), "no values": connect.In("a"),
		"no terms": connect.Or(), "not all": connect.Not(connect.Filter{}), "property": connect.Eq("a,b", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := collect(t, client, connect.Query{Filter: filter}); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestTheQueryOfAList(t *testing.T) {
	got := rawQuery(t, connect.Query{
		Filter:   connect.And(connect.In("status", "pending", "revoking"), connect.Eq("name", "a+b & (c),\"")),
		Select:   []string{"-asset.items", "+asset.product.capabilities"},
		Ordering: []string{"created", "-id"},
		PageSize: 7,
	})
	want := `select(-asset.items,asset.product.capabilities)&in(status,(pending,revoking))&eq(name,%27a%2Bb%20%26%20(c),%22%27)&ordering(created,-id)&limit=7&offset=0`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFieldThatIsNoNameIsNotSent(t *testing.T) {
	client := newClient(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s", r.URL) })
	for _, name := range []string{"", "-", "a,b", "a)&limit=0", "--a"} {
		for _, q := range []connect.Query{{Select: []string{name}}, {Ordering: []string{name}}} {
			if _, _, err := collect(t, client, q); err == nil {
				t.Errorf("%+v: no error", q)
			}
		}
	}
}

// rawQuery returns the query as it comes over the wire.
func rawQuery(t *testing.T, q connect.Query) string {
	t.Helper()
	var raw string
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		raw = r.URL.RawQuery
		_, _ = io.WriteString(w, "[]")
	})
	if _, _, err := collect(t, client, q); err != nil {
		t.Fatal(err)
	}
	return raw
}

// unquoted is a value without quotes in Connect's grammar.
var unquoted = regexp.MustCompile(`^[\w\-*+\\][\w.\s\-:+@*\\]*$`)

// values is a parser of in(prop,(…)), from the grammar; false for what it does
// not take.
func values(rql string) ([]string, bool) {
	rest, ok := strings.CutPrefix(rql, "in(prop,(")
	var parsed []string
	for ok {
		var value string
		if quote := rest[:1]; quote == `"` || quote == "'" {
			value, rest, ok = strings.Cut(rest[1:], quote)
		} else {
			end := strings.IndexAny(rest, ",)")
			if end < 0 || !unquoted.MatchString(rest[:end]) {
				return nil, false
			}
			value, rest = rest[:end], rest[end:]
		}
		parsed = append(parsed, value)
		if rest == "))" {
			return parsed, ok
		}
		rest, ok = strings.CutPrefix(rest, ",")
		ok = ok && rest != ""
	}
	return nil, false
}

func FuzzAValueComesOutAsItWentIn(f *testing.F) {
	for _, value := range []string{"", "PRD-1", "a b", `"`, "'", `"'`, "a,b),(c", "a&b=c;d|e", "+%2B", "ünï\x00\n", `\`, "t", "null()"} {
		f.Add(value, "x")
		f.Add("y", value)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		rql := connect.In("prop", one, two).String()
		both := func(s string) bool { return strings.Contains(s, `"`) && strings.Contains(s, "'") }
		if both(one) || both(two) {
			if !strings.HasPrefix(rql, "invalid filter: ") {
				t.Fatalf("written as %s, which no quotes can hold", rql)
			}
			return
		}
		got, ok := values(rql)
		if !ok {
			t.Fatalf("%s is not in the grammar", rql)
		}
		if diff := cmp.Diff([]string{one, two}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rql, diff)
		}
	})
}

func TestAValueSurvivesTheURL(t *testing.T) {
	for _, value := range []string{"a b", "a+b", "a&b=c;d", "100%", "ü/?#", "a,(b)", `"`, "a\nb"} {
		raw := rawQuery(t, connect.Query{Filter: connect.In("prop", value)})
		term, _, _ := strings.Cut(raw, "&")
		decoded, err := url.PathUnescape(term)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := values(decoded)
		if !ok || len(got) != 1 || got[0] != value {
			t.Errorf("%q came as %s", value, raw)
		}
	}
}
