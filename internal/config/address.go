package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// redis checks the form of a URL. What it finds is told without the URL, which
// may hold a password.
func (v *validator) redis(text string, needed bool) {
	const key = "redis.url"
	scheme, rest, found := strings.Cut(text, "://")
	schemes := []string{"redis", "rediss", "unix", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster"}
	switch {
	case text == "":
		if needed {
			v.missing(key, "is missing: set REDIS_URL or REDIS_URL_FILE, or use `serve --dev` to try things out with a Redis in memory")
		}
	case !found:
		v.add(key, "is not a URL such as redis://localhost:6379")
	case !slices.Contains(schemes, scheme):
		v.add(key, "has none of the schemes %s", strings.Join(schemes, ", "))
	case scheme != "unix" && !parses(rest):
		v.add(key, "cannot be read: after the scheme comes user:password@host:port, and in the user name and password / is written %%2F, @ %%40, : %%3A, # %%23, ? %%3F and %% %%25")
	}
}

// parses reports whether a URL without its scheme, with one host or several,
// can be taken apart.
func parses(rest string) bool {
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if _, err := url.Parse("redis://" + user + host); err != nil {
			return false
		}
	}
	return !strings.Contains(path, "@")
}

func (v *validator) address(key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		v.add(key, "%q is not an address such as 127.0.0.1:8081 or :8080", address)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.add(key, "%q has no port from 0 to 65535 (0 is any free one)", address)
	}
}

// loopback reports whether only this machine reaches the address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // reported by address
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
