"""Options that several verbs share. Each has a twin in the environment, named after its long form."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from runner import runs

_F = TypeVar("_F", bound=Callable[..., object])

SPECS = click.argument("specs", nargs=-1, required=True, metavar="SPEC…", type=click.Path(path_type=Path))

RUN = click.argument("run", metavar="RUN")


def option(*names: str, **settings: object) -> Callable[[_F], _F]:
    """An option of click, with its twin: `--report-json` is also `CREATIO_RUNNER_REPORT_JSON`."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    twin = "CREATIO_RUNNER_" + long.removeprefix("--").upper().replace("-", "_")
    return click.option(*names, envvar=twin, **settings)  # type: ignore[arg-type]  # click types its settings one by one


TARGET = option("-t", "--target", "target", metavar="NAME", help="Run against this target, whatever the job says.")
TARGETS = option(
    "--targets",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read targets from this file, not from the nearest targets.yaml.",
)
INPUTS = click.option(
    "-i",
    "--input",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Give an input; NAME=@FILE, NAME=@- for secrets.",
)
INPUTS_FILE = option(
    "--inputs", "inputs_file", metavar="FILE", type=click.Path(path_type=Path), help="Read inputs from YAML or JSON."
)
TAGS = option("--tags", metavar="EXPR", help="Only jobs whose tags fit: `smoke and not slow`.")
KEYWORD = option(
    "-k", "keyword", "--keyword", metavar="TEXT", help="Only jobs whose name holds this text, in any case."
)
RUNS = option(
    "--runs",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=runs.DEFAULT,
    show_default=True,
    help="Where runs are kept.",
)
REPORTS = (
    option(
        "--report-json", metavar="FILE", type=click.Path(allow_dash=True), help="Write a JSON report; `-` is stdout."
    ),
    option("--report-junit", metavar="FILE", type=click.Path(allow_dash=True), help="Write JUnit XML for CI."),
    option("--report-jsonl", metavar="FILE", type=click.Path(allow_dash=True), help="Write the events as JSON lines."),
)


def reports(command: _F) -> _F:
    """The options of every report that can be drawn."""
    for decorate in reversed(REPORTS):
        command = decorate(command)
    return command
