"""Options that several verbs share. Each has a twin in the environment, named after its long form."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from runner.cli import env_options, shell
from runner.foundation import durations
from runner.reports.safe import clean
from runner.runs import run_folders

_F = TypeVar("_F", bound=Callable[..., object])


class Filled(click.ParamType[str]):
    """A text that is not empty: an empty one mostly is a variable of the shell that is not set."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("is empty; perhaps a variable of the shell is not set", param, ctx)
        return value


class WholeText(Filled):
    """A text of which several may be given. A twin in the environment is one text, with its blanks."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return (rv,)


class FilledPath(click.Path):
    """A path that is not empty, which would stand for the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        Filled().convert(str(value), param, ctx)
        return super().convert(value, param, ctx)


class NamedFile(FilledPath):
    """A file that is read. A word without an ending, or with `=`, is meant otherwise: `instead` says how.

    `folders`: a folder that is there may be named, too.
    """

    def __init__(self, instead: str, *, folders: bool = False) -> None:
        super().__init__()
        self._instead = instead
        self._folders = folders

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        path = Path(value)
        is_one = path.exists() and (self._folders or not path.is_dir())
        if not is_one and (_is_bare(path) or "=" in path.name):
            self.fail(f"`{clean(str(path))}` is no file; {self._instead.format(clean(str(path)))}", param, ctx)
        return super().convert(value, param, ctx)


def _is_bare(path: Path) -> bool:
    return bool(path.name) and path.name == str(path) and not path.suffix


class Duration(click.ParamType[float]):
    """A duration with its unit, as in job files; in seconds."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        seconds = durations.seconds(value)
        if seconds is None:
            self.fail(f"`{value}` is no duration: write a number and a unit, as in `30s` or `10m`", param, ctx)
        return seconds


class Twinned(click.Option):
    """An option with a twin in the environment, whose value need not be meant for this verb."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        choices = self.type.choices if isinstance(self.type, click.Choice) else None
        return None if value is None or env_options.is_passed_over(value, choices=choices) else value


class OptionalDuration(Duration):
    """A duration, or nothing, which is 0: the option alone."""

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        return 0.0 if value == "" else super().convert(value, param, ctx)


class Switched(Twinned):
    """An option that may have a value and need not: its twin may be a switch, as those of flags are."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        try:
            return value if value is None else ("" if click.BOOL.convert(value, self, ctx) else None)
        except click.BadParameter:
            return value


SPECS = click.argument("specs", nargs=-1, required=True, metavar="SPEC…", type=FilledPath(), callback=shell.expanded)

RUN = click.argument("run", metavar="RUN")


def option(*names: str, **settings: object) -> Callable[[_F], _F]:
    """An option of click, with its twin: `--report-json` is also `CREATIO_RUNNER_REPORT_JSON`."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    twin = env_options.PREFIX + long.removeprefix("--").upper().replace("-", "_")
    return click.option(*names, cls=Twinned, envvar=twin, **settings)


RECURSIVE = option(
    "-r", "--recursive", is_flag=True, help="A folder stands for the jobs in folders below, too, but for hidden ones."
)
TARGET = option(
    "-t",
    "--target",
    "target",
    multiple=True,
    type=Filled(),
    metavar="NAME",
    help="Run against this target, whatever the job says; several times: against each. `env` takes CREATIO_URL and "
    "its companions, `clio:NAME` an environment of clio.",
)
TARGETS = option(
    "--targets",
    metavar="FILE",
    type=NamedFile("`-t {}` names a target, and its file is a `targets.yaml`"),
    help="Read targets from this file, not from the nearest targets.yaml.",
)
CATALOG = option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=NamedFile("the catalogue of a target is a file: `{}.catalog.yaml`", folders=True),
    help="Hold the jobs against what this catalogue file knows, or a folder of packages, not against NAME.catalog.yaml "
    "by the targets.",
)
INPUTS = click.option(
    "-i",
    "--input",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Give an input; NAME=@FILE, NAME=@- for secrets. In the environment: CREATIO_RUNNER_INPUT_NAME.",
)
INPUTS_FILE = option(
    "--inputs",
    "inputs_file",
    metavar="FILE",
    type=NamedFile("`-i NAME=VALUE` gives an input, and `--inputs` reads a file of them"),
    help="Read inputs from YAML or JSON.",
)
TAGS = option("--tags", metavar="EXPR", help="Only jobs whose tags fit: `smoke and not slow`.")
KEYWORD = option(
    "-k",
    "keywords",
    "--keyword",
    multiple=True,
    type=WholeText(),
    metavar="TEXT",
    help="Only runs whose `job[case]` holds this text, in any case; several times: one of the texts.",
)
RUNS = option(
    "--runs",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=run_folders.DEFAULT,
    show_default=True,
    help="Where runs are kept.",
)
LAST_FAILED = option("--last-failed", is_flag=True, help="Only runs that did not pass when they were carried out last.")
JOBS = option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Carry out up to N runs side by side; each is told whole when it has ended.",
)
FAIL_FAST = option("-x", "--fail-fast", is_flag=True, help="After the first run that does not pass, begin no other.")
YES = click.option("--yes", is_flag=True, help="Say yes to every question of a job. It confirms no protected target.")
CONFIRM = click.option(
    "--confirm", multiple=True, metavar="NAME", help="Let the runs go to this protected target; several times: to each."
)
HOLD = option(
    "--hold", is_flag=True, help="Stop where a call is in doubt, so that it can be settled before the run goes on."
)
WAIT_LOCK = option(
    "--wait-lock",
    metavar="DURATION",
    type=Duration(),
    help="Wait this long for a lock (`concurrency`) that another run holds; without it that is exit 6.",
)
WAIT_READY = click.option(
    "--wait-ready",
    cls=Switched,
    envvar=f"{env_options.PREFIX}WAIT_READY",
    is_flag=False,
    flag_value="",
    metavar="[DURATION]",
    type=OptionalDuration(),
    help="Wait up to this long until the site is ready, as after a deployment, before the first call is sent; without "
    "DURATION as the target says, or 10m. With --catalog until its processes are as that says.",
)
FOR = click.option(
    "--for",
    "longest",
    cls=Switched,
    envvar=f"{env_options.PREFIX}WAIT_READY",
    metavar="DURATION",
    type=OptionalDuration(),
    help="Wait up to this long, not for what the target says, or 10m; its twin is CREATIO_RUNNER_WAIT_READY.",
)
GRACE = option(
    "--grace",
    metavar="DURATION",
    type=Duration(),
    default="30s",
    show_default=True,
    help="What a signal leaves the runs for `undo` and `finally`; in GitHub Actions 7s.",
)
STEP = click.option("--step", metavar="KEY", type=Filled(), help="The row in doubt that a verdict is given on.")
AS = click.option(
    "--as",
    "verdict",
    type=click.Choice(["passed", "failed", "retry"]),
    help="How it is to be taken, by whoever has looked at the site; `retry` sends it again, unless the process log by "
    "now shows a start that may be it.",
)
EVEN_THOUGH = click.option(
    "--even-though", is_flag=True, help="With `--as retry`: send it again although the log shows such a start."
)
RESULT = click.option("--result", metavar="JSON", help="What a row that passed gave.")
QUIET = option("-q", "--quiet", is_flag=True, help="Tell only what did not pass, and the end.")
VERBOSE = option("-v", "--verbose", is_flag=True, help="Tell every call, attempt and reading, too.")
REPORTS = (
    option("--report-json", metavar="FILE", type=Filled(), help="Write a JSON report; `-` is stdout."),
    option("--report-junit", metavar="FILE", type=Filled(), help="Write JUnit XML for CI."),
    option("--report-jsonl", metavar="FILE", type=Filled(), help="Write the events as JSON lines."),
)


def reports(command: _F) -> _F:
    """The options of every report that can be drawn."""
    for decorate in reversed(REPORTS):
        command = decorate(command)
    return command
