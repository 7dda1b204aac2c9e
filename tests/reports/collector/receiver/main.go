// A collector of OpenTelemetry for tests: its own receiver of OTLP over HTTP, at the address that is its argument.
// What it takes is written to stdout as it understood it, a request a line, after the line "ready".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

func main() {
	taken, err := consumer.NewTraces(write)
	check(err)
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	check(settings(os.Args[1]).Unmarshal(config))
	traces, err := factory.CreateTraces(
		context.Background(),
		receiver.Settings{
			ID:                component.NewID(factory.Type()),
			TelemetrySettings: componenttest.NewNopTelemetrySettings(),
		},
		config,
		taken,
	)
	check(err)
	check(traces.Start(context.Background(), componenttest.NewNopHost()))
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	check(traces.Shutdown(context.Background()))
}

func settings(address string) *confmap.Conf {
	http := map[string]any{"endpoint": address}
	return confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": http}})
}

func write(_ context.Context, traces ptrace.Traces) error {
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err == nil {
		fmt.Println(string(text))
	}
	return err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
