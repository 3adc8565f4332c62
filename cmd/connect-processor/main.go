// Command connect-processor is the stock processor: its vendor comes from the
// configuration alone. A vendor with handlers in Go builds a program of its
// own, just like this one.
package main

import (
	"github.com/connect-processor/connect-processor/processor"
	"github.com/connect-processor/connect-processor/processor/cli"
)

func main() {
	cli.Main(processor.Vendor{})
}
