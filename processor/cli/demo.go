package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
	"github.com/connect-processor/connect-processor/internal/observability"
)

func (c *command) demo() *cobra.Command {
	var once, asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch orders go from pending to approved, with no account and no Redis",
		Long: `Runs everything in this process and on loopback: an emulated Connect and
vendor, a Redis in memory, poller and workers. It plays the orders of a dozen
subscriptions: purchase, change, suspend, resume, cancel. One change is
refused, one purchase meets a vendor error that a retry cures, and one
suspension ends parked, waiting for a person.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := c.quiet(slog.LevelError + 1)
			if err != nil {
				return err
			}
			options := app.DemoOptions{}
			if !asJSON {
				options.Progress = c.showProgress()
			}
			if !once {
				options.Stay = c.stay(asJSON)
			}
			report, err := app.Demo(cmd.Context(), app.Options{Vendor: c.vendor, Version: buildInfo().Version, Log: log, Now: time.Now}, options)
			if err != nil {
				if asJSON {
					_ = c.report(report, asJSON) // the cause follows on the other stream
				}
				return failed(err)
			}
			if !once {
				return nil
			}
			return c.report(report, asJSON)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end when the last request has ended; exit 0 only if each ended as its story says")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return cmd
}

// stay returns what shows the demo's result and leaves the demo running.
func (c *command) stay(asJSON bool) func(context.Context, app.DemoReport, app.Addresses) {
	return func(ctx context.Context, r app.DemoReport, a app.Addresses) {
		_ = c.report(r, asJSON) // the command ends with the same error
		fmt.Fprintf(c.streams.Err, "\nThe queue, in asynq's web UI: http://%s/queues/\nCtrl-C ends the demo.\n", a.Admin)
		<-ctx.Done()
	}
}

// statuses are the columns of the demo's tables.
func statuses() []string {
	return []string{"pending", "approved", "failed", "inquiring", "parked"}
}

// showProgress returns what shows the demo's progress: a table that redraws
// itself in a terminal, a line for each change elsewhere.
func (c *command) showProgress() func(app.Progress) {
	lines := 0
	return func(p app.Progress) {
		if !observability.IsTerminal(c.streams.Out) {
			total := make(map[string]int)
			for _, byStatus := range p {
				for status, n := range byStatus {
					total[status] += n
				}
			}
			var text []string
			for _, status := range statuses() {
				text = append(text, fmt.Sprintf("%s %d", status, total[status]))
			}
			fmt.Fprintln(c.streams.Out, strings.Join(text, "  "))
			return
		}
		if lines > 0 {
			fmt.Fprintf(c.streams.Out, "\x1b[%dA\x1b[J", lines) // back to the table's first line
		}
		lines = table(c.streams.Out, p)
	}
}

// table prints how many requests of each type stand where, and returns how
// many lines that took.
func table(w io.Writer, p app.Progress) int {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\t%s\t\n", strings.Join(statuses(), "\t"))
	for _, kind := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(out, "%s\t", kind)
		for _, status := range statuses() {
			fmt.Fprintf(out, "%d\t", p[kind][status])
		}
		fmt.Fprintln(out)
	}
	_ = out.Flush() // a terminal that is gone has nobody to tell
	return len(p) + 1
}

// report prints what the demo came to.
func (c *command) report(r app.DemoReport, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(c.streams.Out).Encode(r); err != nil {
			return failed(fmt.Errorf("printing the report: %w", err))
		}
		return nil
	}
	fmt.Fprintf(c.streams.Out, `
%d requests in %.1f s: %d approved, %d failed (a change with two items: "Change not allowed"),
%d parked (the vendor refuses it for good), %d waiting.
The vendor has %d tenants, %d of them duplicates, though one creation was answered with an error after its effect.
`, r.Requests, r.Seconds, r.Approved, r.Failed, r.Parked, r.Waiting, r.Vendor.Tenants, r.Vendor.Duplicates)
	return nil
}
