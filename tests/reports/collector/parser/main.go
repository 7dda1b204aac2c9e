// The parser of OTLP/JSON that each collector of OpenTelemetry has. It reads requests from stdin, one a line, and writes
// each as it understood it, or "refused" and why.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		fmt.Println(understood(line))
	}
}

func understood(line []byte) string {
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
	if err != nil {
		return fmt.Sprintf("refused: %q", err)
	}
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}
