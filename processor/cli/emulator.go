package cli

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
)

func (c *command) emulator() *cobra.Command {
	var address string
	var keys []string
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve a local Connect and a local vendor, to try things out",
		Long: `Serves on one port: Connect under /public/v1, the example vendor under /vendor,
and under /_emulator the distributor's side, faults on demand and counters.
Everything is kept in memory.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := c.quiet(slog.LevelInfo)
			if err != nil {
				return err
			}
			options := app.Options{Log: log, Now: time.Now}
			return failed(app.Emulator(cmd.Context(), options, address, keys, func(e app.EmulatorAddress) {
				fmt.Fprintf(c.streams.Out, "Connect   %s/public/v1  (key %s, product %s)\nvendor    %s/vendor\ncontrol   %s/_emulator\n",
					e.Base, e.APIKey, e.Product, e.Base, e.Base)
			}))
		},
	}
	cmd.Flags().StringVar(&address, "addr", "127.0.0.1:8090", "address to listen on; port 0 is any free one")
	cmd.Flags().StringSliceVar(&keys, "api-key", nil, "a key to accept, several with commas between (default any)")
	return cmd
}
