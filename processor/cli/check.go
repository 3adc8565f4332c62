package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
	"github.com/connect-processor/connect-processor/internal/config"
)

func (c *command) check() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look at configuration, Redis, Connect key, products, templates and vendor",
		Long: `Looks at everything that serving needs, prints a line for each with a hint
where something is wrong, and changes nothing anywhere.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(config.Need{Redis: true, Connect: true})
			if err != nil {
				return err
			}
			options, err := c.options(cfg)
			if err != nil {
				return err
			}
			findings, err := app.Check(cmd.Context(), options)
			if err != nil {
				return err
			}
			return c.print(findings, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return cmd
}

// print shows the findings; a fault among them is a failure.
func (c *command) print(findings []app.Finding, asJSON bool) error {
	faults := 0
	for _, f := range findings {
		if !f.OK {
			faults++
		}
		switch {
		case asJSON:
		case f.OK:
			fmt.Fprintf(c.streams.Out, "ok    %s: %s\n", f.Subject, f.Text)
		default:
			fmt.Fprintf(c.streams.Out, "FAULT %s: %s\n      hint: %s\n", f.Subject, f.Text, f.Hint)
		}
	}
	if asJSON {
		if err := json.NewEncoder(c.streams.Out).Encode(findings); err != nil {
			return failed(fmt.Errorf("printing the findings: %w", err))
		}
	}
	if faults > 0 {
		return failed(errTold)
	}
	return nil
}
