// Package cli is the whole command line of a processor, with a vendor compiled
// in:
//
//	func main() { cli.Main(processor.Vendor{Purchase: purchase}) }
//
// What the vendor leaves nil is filled from the configuration. The commands are
// those of connect-processor: demo, serve, check, requests, emulator, version.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
	"github.com/connect-processor/connect-processor/internal/config"
	"github.com/connect-processor/connect-processor/internal/observability"
	"github.com/connect-processor/connect-processor/processor"
)

// Exit codes, as Run documents them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command line and ends the process. The first SIGINT or SIGTERM
// lets running requests end, the second quits at once.
func Main(v processor.Vendor) {
	redis.SetLogger(silence{}) // its errors reach their callers, who tell of them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from now on a signal has its usual effect
	os.Exit(Run(ctx, v, Streams{Args: os.Args[1:], Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr}))
}

// silence drops the lines that go-redis would write between ours.
type silence struct{}

// Printf implements the logger of go-redis.
func (silence) Printf(context.Context, string, ...any) {}

// Streams are what a command line reads and writes.
type Streams struct {
	Args    []string // without the program's name
	Environ []string // KEY=value
	Out     io.Writer
	Err     io.Writer
}

// Run runs the command line and returns the exit code: 0 done, 1 failed, 2
// wrong use or configuration.
func Run(ctx context.Context, v processor.Vendor, s Streams) int {
	c := &command{vendor: v, streams: s}
	root := c.root() //nolint:contextcheck // the commands get ctx by ExecuteContext
	root.SetArgs(s.Args)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errTold) {
		fmt.Fprintln(s.Err, err)
	}
	if _, failed := errors.AsType[*failedError](err); failed {
		return exitFailed
	}
	return exitUsage
}

// command is what all subcommands share.
type command struct {
	vendor  processor.Vendor
	streams Streams

	file  string // of the configuration
	level string // of --log-level
}

// failedError is a command that was used rightly and failed.
type failedError struct{ error }

func (e *failedError) Unwrap() error { return e.error }

// errTold is a failure that has been printed in a command's own way.
var errTold = errors.New("told already")

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failedError{err}
}

func (c *command) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "connect-processor",
		Short: "Carries out the orders of CloudBlue Connect in a vendor's own system",
		Long: `Finds the requests that are pending on CloudBlue Connect, has the vendor's
system carry each out through a queue in Redis, and answers Connect.

Start with "demo": it needs no account and no Redis.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return wrongUse(cmd, "%w", err) })
	root.PersistentFlags().StringVarP(&c.file, "config", "c", "", "configuration file (default connect-processor.yaml where there is one)")
	root.PersistentFlags().StringVar(&c.level, "log-level", "", "debug, info, warn or error (default info, or log.level)")
	root.AddCommand(c.demo(), c.serve(), c.check(), c.requests(), c.emulator(), c.version())
	return root
}

// defaultFile is read when no file is named and it exists.
const defaultFile = "connect-processor.yaml"

// load reads the configuration from file, environment and flags, and reports
// everything that is wrong with it together.
func (c *command) load(need config.Need) (config.Config, error) {
	file := c.file
	if file == "" {
		if _, err := os.Stat(defaultFile); err == nil {
			file = defaultFile
		}
	}
	cfg, unread := config.Load(config.Source{Path: file, Environ: c.streams.Environ})
	level, err := c.logLevel(cfg.Log.Level)
	cfg.Log.Level = level
	return cfg, errors.Join(err, unread, cfg.Validate(need))
}

// logLevel returns what --log-level asks for, or the one given.
func (c *command) logLevel(level slog.Level) (slog.Level, error) {
	if c.level == "" {
		return level, nil
	}
	if err := level.UnmarshalText([]byte(c.level)); err != nil {
		return level, fmt.Errorf("--log-level: %q is none of debug, info, warn, error", c.level)
	}
	return level, nil
}

// options turns the configuration into what the program needs.
func (c *command) options(cfg config.Config) (app.Options, error) {
	log, err := observability.NewLogger(c.streams.Err, cfg.Log.Level, observability.Format(cfg.Log.Format))
	if err != nil {
		return app.Options{}, err
	}
	return app.Options{Config: cfg, Vendor: c.vendor, Version: buildInfo().Version, Log: log, Now: time.Now}, nil
}

// quiet returns a logger for commands whose output is something else: it tells
// of what is at least as grave as least, or of what --log-level asks for.
func (c *command) quiet(least slog.Level) (*slog.Logger, error) {
	level, err := c.logLevel(least)
	if err != nil {
		return nil, err
	}
	return observability.NewLogger(c.streams.Err, level, observability.FormatAuto)
}
