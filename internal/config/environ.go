package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v10"
)

// secretKeys may be given by the name of a file that holds them.
func secretKeys() []string { return []string{"connect.api_key", "redis.url", "admin.password"} }

// readSecretFiles puts the content of X_FILE into X. It also returns the keys
// that have got no value by this.
func readSecretFiles(environ map[string]string) (faults []error, unread []string) {
	for _, key := range secretKeys() {
		name := variable(key)
		path := environ[name+"_FILE"]
		if path == "" {
			continue
		}
		if environ[name] != "" {
			faults = append(faults, fmt.Errorf("%s: %s and %s_FILE are both set: drop one", key, name, name))
			continue
		}
		data, err := os.ReadFile(path) //nolint:gosec // the operator's own choice
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: reading %s_FILE: %w", key, name, err))
			unread = append(unread, key)
			continue
		}
		environ[name] = strings.TrimRight(string(data), "\r\n")
		if environ[name] == "" {
			faults = append(faults, fmt.Errorf("%s: %s, the file of %s_FILE, is empty", key, path, name))
			unread = append(unread, key)
		}
	}
	return faults, unread
}

// readEnviron lays the environment over cfg. Sections are read one by one, so
// that a fault can be named by its variable.
func readEnviron(environ map[string]string, cfg *Config) []error {
	var faults []error
	top := lists{Environments: cfg.Environments}
	vendor, named := cfg.Vendors[defaultVendor]
	sections := sections(cfg, &top)
	if named {
		sections["VENDOR_"] = &vendor
	}
	for _, prefix := range slices.Sorted(maps.Keys(sections)) {
		options := env.Options{Environment: environ, Prefix: prefix}
		if err := env.ParseWithOptions(sections[prefix], options); err != nil {
			faults = append(faults, byVariable(err, sections[prefix], options)...)
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if named {
		cfg.Vendors[defaultVendor] = vendor
	}
	cfg.Environments = top.Environments
	cfg.Products = overlay(cfg.Products, top.Products)
	return faults
}

// lists are the keys that belong to no section.
type lists struct {
	Environments List `env:"ENVIRONMENTS"`
	Products     List `env:"PRODUCTS"`
}

// sections are the parts of the configuration that the environment reaches, by
// prefix.
func sections(cfg *Config, top *lists) map[string]any {
	return map[string]any{
		"": top, "CONNECT_": &cfg.Connect, "REDIS_": &cfg.Redis, "VENDOR_": &cfg.Vendor, "POLLER_": &cfg.Poller,
		"WORKER_": &cfg.Worker, "RETRY_": &cfg.Retry, "WEB_": &cfg.Web, "ADMIN_": &cfg.Admin, "LOG_": &cfg.Log,
	}
}

// allVariables returns every environment variable that is read, sorted.
func allVariables() []string {
	var names []string
	for _, key := range secretKeys() {
		names = append(names, variable(key)+"_FILE")
	}
	for prefix, section := range sections(&Config{}, &lists{}) {
		names = slices.AppendSeq(names, maps.Values(fieldVariables(section, prefix)))
	}
	slices.Sort(names)
	return names
}

// fieldVariables returns the variable of each field of a section.
func fieldVariables(section any, prefix string) map[string]string {
	names := make(map[string]string)
	for field := range reflect.TypeOf(section).Elem().Fields() {
		if tag := field.Tag.Get("env"); tag != "" {
			names[field.Name] = prefix + tag
		}
	}
	return names
}

// byVariable names each fault by the variable that it is in.
func byVariable(err error, section any, options env.Options) []error {
	aggregate, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []error{fmt.Errorf("reading the environment: %w", err)}
	}
	names := fieldVariables(section, options.Prefix)
	var faults []error
	for _, err := range aggregate.Errors {
		parse, ok := errors.AsType[env.ParseError](err)
		if !ok {
			faults = append(faults, fmt.Errorf("reading the environment: %w", err))
			continue
		}
		name := names[parse.Name]
		faults = append(faults, fmt.Errorf("%s: %q is not %s", name, options.Environment[name], wanted(parse.Type)))
	}
	return faults
}

// overlay lets the environment choose the products; one that the file names
// too keeps what the file says of it.
func overlay(fromFile Products, ids []string) Products {
	if len(ids) == 0 {
		return fromFile
	}
	chosen := make(Products, 0, len(ids))
	for _, id := range ids {
		product := Product{ID: id}
		for _, p := range fromFile {
			if p.ID == id {
				product = p
			}
		}
		chosen = append(chosen, product)
	}
	return chosen
}
