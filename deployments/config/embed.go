// Package examples holds the configuration files that are shipped, for the
// demo and for tests: what is shown is what is run.
package examples

import _ "embed"

//go:embed processor-example.yaml
var processorExample []byte

// ProcessorExample returns the configuration of the Processor Example.
func ProcessorExample() []byte { return processorExample }
