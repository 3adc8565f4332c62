package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/connect-processor/connect-processor/internal/app"
	"github.com/connect-processor/connect-processor/internal/config"
)

func (c *command) serve() *cobra.Command {
	var roles string
	var dev bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Process requests until stopped",
		Long: `Polls Connect, carries requests out and serves the operator's port, until it
gets SIGTERM or SIGINT. Then it takes no more work, lets running requests end
(worker.shutdown_timeout), and gives the rest back to the queue.

Roles may run in one process or in many, on one machine or on many, as long as
they share a Redis. Any number of each may run.`,
		Example: `  connect-processor serve
  connect-processor serve --role worker
  connect-processor serve --dev          # Redis in memory, to try things out`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := parseRoles(roles)
			if err != nil {
				return wrongUse(cmd, "%w", err)
			}
			if dev && len(chosen) < len(app.AllRoles()) {
				return wrongUse(cmd, "--dev keeps its Redis in this process, which must then have all roles: drop --role")
			}
			cfg, err := c.load(config.Need{Redis: !dev, Connect: true})
			if err != nil {
				return err
			}
			options, err := c.options(cfg)
			if err != nil {
				return err
			}
			for _, warning := range cfg.Warnings() {
				options.Log.WarnContext(cmd.Context(), "configuration is probably wrong", "warning", warning)
			}
			return failed(app.Serve(cmd.Context(), options, app.ServeOptions{Roles: chosen, Dev: dev}))
		},
	}
	cmd.Flags().StringVar(&roles, "role", "all", "all, or a comma-separated choice of web, poller, worker")
	cmd.Flags().BoolVar(&dev, "dev", false, "use a Redis in this process's memory, which forgets everything on exit")
	return cmd
}

func parseRoles(text string) ([]app.Role, error) {
	if text == "all" || text == "" {
		return app.AllRoles(), nil
	}
	var roles []app.Role
	for name := range strings.SplitSeq(text, ",") {
		role := app.Role(strings.TrimSpace(name))
		if !slices.Contains(app.AllRoles(), role) {
			return nil, fmt.Errorf("--role: %q is none of web, poller, worker, all", role)
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}
