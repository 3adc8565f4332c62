package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/caarlos0/env/v10"
)

// Source is where the configuration is read from.
type Source struct {
	Path    string   // of the YAML file; empty: none
	File    []byte   // its content, in place of Path
	Environ []string // KEY=value
}

// Load reads the configuration. Its error names everything that cannot be
// read, one line each. The Config is usable for what could be: Validate says
// whether that makes sense, and keeps silent about what the error has named.
func Load(src Source) (Config, error) {
	cfg := Default()
	read := file{name: src.Path}
	if data, err := src.data(); err != nil {
		read.unreadable(err)
	} else {
		read.decode(data, &cfg)
	}
	environ := env.ToMap(src.Environ)
	faults, unread := readSecretFiles(environ)
	faults = append(read.faults, append(faults, readEnviron(environ, &cfg)...)...)
	fromFile := slices.DeleteFunc(read.unread, func(key string) bool { return environ[variable(key)] != "" })
	cfg.unread = append(fromFile, unread...)
	return cfg, errors.Join(faults...)
}

// data returns the content of the file.
func (s Source) data() ([]byte, error) {
	if s.Path == "" {
		return s.File, nil
	}
	info, err := os.Stat(s.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("--config %s: there is no such file: is the path right, seen from this folder?", s.Path)
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("--config %s: is a folder; name the file in it", s.Path)
	}
	data, err := os.ReadFile(s.Path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return data, nil
}

// variable returns the name of the environment variable of a key.
func variable(key string) string { return strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }

// isUnread reports whether Load could not read the key, or what it is part of.
func (c Config) isUnread(key string) bool {
	return slices.ContainsFunc(c.unread, func(unread string) bool { return within(unread, key) })
}

// lacks reports whether Load could not read the key or some part of it, so
// that nobody knows what should be there.
func (c Config) lacks(key string) bool {
	return c.isUnread(key) || slices.ContainsFunc(c.unread, func(unread string) bool { return within(key, unread) })
}

// within reports whether key is outer or a part of it.
func within(outer, key string) bool {
	rest, inside := strings.CutPrefix(key, outer)
	return inside && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
