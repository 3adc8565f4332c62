package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// wrongUse is an error of the command line itself, with the way out of it.
func wrongUse(cmd *cobra.Command, format string, args ...any) error {
	return fmt.Errorf(format+"; see `%s --help`", append(args, cmd.CommandPath())...)
}

// noArgs refuses what stands behind a command that takes nothing.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return wrongUse(cmd, "unexpected %q", args[0])
}

// group makes a command of others: alone it shows its help, and anything that
// is none of them is an error.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
			return wrongUse(cmd, "unknown command %q (did you mean %s?)", args[0], similar[0])
		}
		return wrongUse(cmd, "unknown command %q", args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}
