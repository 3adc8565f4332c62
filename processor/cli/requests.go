package cli

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
	"github.com/connect-processor/connect-processor/internal/config"
)

func (c *command) requests() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "requests",
		Short: "List and retry the requests that wait for a person",
		Long: `A request is parked (a dead letter) when its attempts are used up, or when an
error says that trying again cannot cure it. It stays pending on Connect. Once
its cause is mended, retry it; one that changes on Connect is retried by itself.`,
	})
	cmd.AddCommand(c.requestsList(), c.requestsRetry())
	return cmd
}

// forStore reads the configuration for a command that needs Redis only.
func (c *command) forStore() (app.Options, error) {
	cfg, err := c.load(config.Need{Redis: true})
	if err != nil {
		return app.Options{}, err
	}
	log, err := c.quiet(slog.LevelWarn)
	return app.Options{Config: cfg, Log: log, Now: time.Now}, err
}

// mostListed bounds a list that a person reads.
const mostListed = 1000

func (c *command) requestsList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List parked requests, the newest first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := c.forStore()
			if err != nil {
				return err
			}
			list, err := app.Parked(cmd.Context(), options, mostListed)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return failed(json.NewEncoder(c.streams.Out).Encode(list))
			}
			return failed(c.printParked(list))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return cmd
}

// printParked prints a line for each parked request.
func (c *command) printParked(list []app.ParkedRequest) error {
	if len(list) == 0 {
		fmt.Fprintln(c.streams.Out, "No request is parked.")
		return nil
	}
	out := tabwriter.NewWriter(c.streams.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "REQUEST\tTYPE\tPRODUCT\tATTEMPTS\tPARKED\tCLASS\tERROR")
	for _, r := range list {
		fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n",
			r.ID, r.Type, r.Product, r.Attempts, r.Updated.Format(time.RFC3339), r.ErrorClass, r.Error)
	}
	return out.Flush()
}

func (c *command) requestsRetry() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Give parked requests a fresh budget of attempts",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return wrongUse(cmd, "name requests, or give --all; `requests list` shows what is parked")
			}
			options, err := c.forStore()
			if err != nil {
				return err
			}
			if all {
				list, err := app.Parked(cmd.Context(), options, mostListed)
				if err != nil {
					return failed(err)
				}
				for _, r := range list {
					ids = append(ids, r.ID)
				}
			}
			notParked, err := app.RetryParked(cmd.Context(), options, ids)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.streams.Out, "%d of %d requests will be tried again.\n", len(ids)-len(notParked), len(ids))
			if len(notParked) > 0 {
				return failed(fmt.Errorf("not parked, and left alone: %s", strings.Join(notParked, ", ")))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("every parked request, up to %d", mostListed))
	return cmd
}
