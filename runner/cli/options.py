"""Options that several verbs share. Each can be set by an environment option, named after its long form."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click
from msgspec.structs import replace

from runner.cli import hints
from runner.cli.verb import EnvOption, Option, SwitchedOption, is_typed
from runner.foundation import durations
from runner.foundation.problems import Problem, UsageError
from runner.reports.safe import clean
from runner.runs import USUAL

if TYPE_CHECKING:
    from runner.fleet.store import FleetStore
    from runner.runs.store import LocalRunStore, RunStore

_F = TypeVar("_F", bound=Callable[..., object])


class Filled(click.ParamType[str]):
    """A text that is not empty: an empty text mostly is a variable of the shell that is not set."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("is empty; perhaps a variable of the shell is not set", param, ctx)
        return value


class WholeText(Filled):
    """A text that may be given several times. Its variable gives a single text, with its blanks."""

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
    """A file, or with `folders` also a folder, that is read. `instead` is a hint for a word of another kind."""

    def __init__(self, instead: str, *, folders: bool = False) -> None:
        super().__init__()
        self._instead = instead
        self._folders = folders

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        path, shown = Path(value), clean(str(value))
        is_bare = bool(path.name) and path.name == str(path) and not path.suffix
        is_there = path.exists() and (self._folders or not path.is_dir())
        if not is_there and (is_bare or "=" in path.name):
            self.fail(f"`{shown}` is no file; {self._instead.format(shown)}", param, ctx)
        return super().convert(value, param, ctx)


class Duration(click.ParamType[float]):
    """A duration with its unit, as in job files; in seconds. Where it `may_be_empty`, the option alone is 0."""

    name = "duration"

    def __init__(self, *, may_be_empty: bool = False) -> None:
        self._may_be_empty = may_be_empty

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        if value == "" and self._may_be_empty:
            return 0.0
        seconds = durations.seconds(value)
        if seconds is None:
            self.fail(_why_no_duration(value), param, ctx)
        return seconds


def _why_no_duration(value: str) -> str:
    if durations.is_too_long(value):
        return f"`{value}` is too long: the longest duration is a year, `8760h`"
    if value.startswith("-") or durations.is_zero(value):
        return f"`{value}` is no duration: it must be longer than zero, as in `30s` or `10m`"
    return f"`{value}` is no duration: write a number and a unit (`ms`, `s`, `m` or `h`), as in `30s` or `24h`"


class StoreOfRuns(click.ParamType["LocalRunStore"]):
    name = "folder"

    def convert(
        self, value: "str | LocalRunStore", param: click.Parameter | None, ctx: click.Context | None
    ) -> "LocalRunStore":
        if not isinstance(value, str):
            return value
        Filled().convert(value, param, ctx)
        from runner.runs.files.store import FileRunStore  # noqa: PLC0415  4 ms, for verbs that have stored runs

        store = FileRunStore(Path(value))
        if os.environ.get(f"{hints.PREFIX}DB"):
            store.name = replace(store.name, must_be_named=True)
        if ctx is not None:
            ctx.call_on_close(store.close)
        return store


class FleetOfRuns(click.ParamType["FleetStore"]):
    """The database of a fleet. Its library is imported for whoever names a database."""

    name = "url"

    def convert(
        self, value: "str | FleetStore", param: click.Parameter | None, ctx: click.Context | None
    ) -> "FleetStore":
        if not isinstance(value, str):
            return value
        Filled().convert(value, param, ctx)
        check_fleet_library()
        from runner.fleet.store import FleetStore  # noqa: PLC0415  8 ms, for whoever names a database

        store = FleetStore(value)
        store.prepare()
        if ctx is not None:
            ctx.call_on_close(store.close)
        return store


def check_fleet_library() -> None:
    """Raise `UsageError` where the libraries of a fleet are not installed."""
    from runner.fleet.database import load_library  # noqa: PLC0415  250 ms

    try:
        load_library()
    except ImportError as error:
        hint = "install it from where the program came from: in a checkout, `pip install '.[fleet]'`"
        message = f"`--db` needs the extra `fleet`, which is not installed: {error}"
        raise UsageError(Problem(code="E150", message=message, hint=hint)) from error


def _store(context: click.Context, option: click.Parameter, folder: "LocalRunStore") -> "RunStore":
    """The runs of a fleet where `--db` names it, and `--runs` is not typed beside a variable that does."""
    fleet: RunStore | None = context.params.get("database")
    typed = {name for name in ("runs", "database") if is_typed(context, name)}
    if fleet is None or typed == {"runs"}:
        return folder
    if len(typed) > 1:
        message = "`--db` and `--runs` both name where the runs are"
        raise UsageError(Problem(code="E150", message=message, hint=f"leave out `{option.opts[0]}`, or `--db`"))
    return fleet


_TYPES: Final[Mapping[str, click.ParamType[object]]] = {
    **dict.fromkeys(("FILE", "FOLDER"), FilledPath()),
    **dict.fromkeys(("NAME", "KEY", "REV", "URL", "AGE", "WHEN"), Filled()),
    "DURATION": Duration(),
    "N": click.IntRange(1),
}
"""What options take, by their metavars."""


def option(*names: str, **settings: object) -> Callable[[_F], _F]:
    """An option that `CREATIO_RUNNER_…` can set. Without a type, its `metavar` says what it takes."""
    variable = hints.variable_of(next(name for name in names if name.startswith("--")).partition("/")[0])
    defaults = {"cls": EnvOption, "envvar": variable, "type": _TYPES.get(str(settings.get("metavar")))}
    return click.option(*names, **{**defaults, **settings})  # type: ignore[arg-type]  # click has a type for each setting


def typed_option(*names: str, **settings: object) -> Callable[[_F], _F]:
    """An option that no variable of its own sets."""
    return click.option(*names, cls=Option, **settings)


def form(choices: Iterable[str] = ("text", "json")) -> Callable[[_F], _F]:
    """`--format`, as `form`."""
    kinds = hints.OneWord(list(choices))
    return option("--format", "form", type=kinds, default="text", show_default=True, help="How to print the output.")


def for_jobs(text: str) -> Callable[[_F], _F]:
    """`--for`, as `jobs`; `text` is its help."""
    return option("--for", "jobs", multiple=True, metavar="SPEC", type=FilledPath(), help=text)


def grace(text: str) -> Callable[[_F], _F]:
    """`--grace`; `text` is its help."""
    return option("--grace", metavar="DURATION", default="30s", show_default=True, help=text)


def targets(text: str) -> Callable[[_F], _F]:
    """`--target`, which can be given several times; `text` is its help."""
    return option("-t", "--target", "target", multiple=True, metavar="NAME", help=text)


def expanded(context: click.Context, parameter: click.Parameter, specs: tuple[Path, ...]) -> tuple[Path, ...]:
    """Fill in patterns that the shell has left, as on Windows. A pattern that fits nothing, or names a file, stays."""
    del context, parameter
    return tuple(found for spec in specs for found in _matches(spec))


def _matches(spec: Path) -> Sequence[Path]:
    if not {*"*?["}.intersection(str(spec)) or spec.exists():
        return (spec,)
    import glob  # noqa: PLC0415  0.5 ms, for a pattern that the shell has left

    found = glob.glob(str(spec), recursive=True)  # noqa: PTH207  of a path, absolute or not, as a shell would
    paths = [Path(path) for path in sorted(found)]
    if spec.suffix in (".yaml", ".json"):
        paths = [path for path in paths if not path.is_dir()]
    return paths or (spec,)


SPECS = click.argument("specs", nargs=-1, required=True, metavar="SPEC…", type=FilledPath(), callback=expanded)
OPTIONAL_SPECS = click.argument("specs", nargs=-1, metavar="[SPEC…]", type=FilledPath(), callback=expanded)
RUN = click.argument("run", metavar="RUN", type=Filled())
SEVERAL_RUNS = click.argument("chosen", nargs=-1, required=True, metavar="RUN…", type=Filled())
RECURSIVE = option(
    "-r", "--recursive", is_flag=True, help="Read the jobs in folders below a folder, too, but not in hidden folders."
)
TARGET = targets(
    "Run against this target, whatever the job names; several times: against each. `env` takes CREATIO_URL and its "
    "companions, `clio:NAME` an environment of clio."
)
SINGLE_TARGET = option("-t", "--target", "target", metavar="NAME", help="The target whose site is asked.")
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
    help="Check the jobs against this catalogue file, or a folder of packages, not against NAME.catalog.yaml beside "
    "the targets.",
)
INPUTS = typed_option(
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
    help="Only runs whose `job[case]` holds this text, in any case; one that is a whole `job[case]` is taken alone; "
    "several times: one of the texts.",
)


def _runs(usual: str) -> Callable[[_F], _F]:
    what = f"The folder in which runs are stored. [default: {usual}]"
    return option("--runs", metavar="DIR", type=StoreOfRuns(), default=USUAL, callback=_store, help=what)


RUNS = _runs(USUAL)
DB = option(
    "--db",
    "database",
    metavar="URL",
    type=FleetOfRuns(),
    is_eager=True,
    help="The runs of a fleet, in the PostgreSQL database at URL: `postgresql://HOST/NAME`, or as libpq takes it.",
)
_THE_DATABASE = "The PostgreSQL database of the fleet: `postgresql://HOST/NAME`, or as libpq takes it."
DSN = option("--db", "dsn", metavar="URL", required=True, help=_THE_DATABASE)
THE_DB = option("--db", "database", metavar="URL", type=FleetOfRuns(), required=True, help=_THE_DATABASE)
CHANGED_SINCE = option(
    "--changed-since",
    metavar="REV",
    help="Only jobs that differ from this commit of git: in their files, what they include, cases, target, doubles, or "
    "what the catalogue says of their processes.",
)
ALLOW_EMPTY = option("--allow-empty", is_flag=True, help="Nothing selected is fine: exit 0, not 5.")
LAST_FAILED = option(
    "--last-failed",
    is_flag=True,
    help="Only runs that did not pass the last time, or that a killed command never began; not what no command knows.",
)
JOBS = option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Carry out up to N runs side by side; each is printed as a whole when it has ended.",
)
FAIL_FAST = option("-x", "--fail-fast", is_flag=True, help="After the first run that does not pass, begin no other.")
YES = typed_option("--yes", is_flag=True, help="Say yes to every question of a job. It confirms no protected target.")
CONFIRM = typed_option(
    "--confirm", multiple=True, metavar="NAME", help="Let the runs go to this protected target; several times: to each."
)
HOLD = option(
    "--hold", is_flag=True, help="Stop the run where a call is in doubt: settle the call, then `runner resume`."
)
WAIT_LOCK = option(
    "--wait-lock",
    metavar="DURATION",
    help="Wait this long for a lock (`concurrency`) that another run holds; without it that is exit 6.",
)
WAIT_READY = option(
    "--wait-ready",
    cls=SwitchedOption,
    is_flag=False,
    flag_value="",
    metavar="[DURATION]",
    type=Duration(may_be_empty=True),
    help="Wait up to this long until the site is ready, as after a deployment, before the first call is sent; without "
    "DURATION as the target says, or 10m. Where a catalogue is named, as under `ready`, until its processes are as it "
    "says.",
)
GRACE = grace("The time for `undo` and `finally` after a signal; in GitHub Actions 7s.")
QUIET = option("-q", "--quiet", is_flag=True, help="Print only what did not pass, and the end.")
VERBOSE = option("-v", "--verbose", is_flag=True, help="Print every call, attempt and reading, too.")


def reports(command: _F) -> _F:
    from runner.reports.formats import FORMATS  # noqa: PLC0415  8 ms, for the verbs that write reports
    from runner.reports.reported import ReportValues  # noqa: PLC0415  likewise

    command = option(
        "--report-values",
        type=hints.OneWord([values.value for values in ReportValues]),
        default=ReportValues.ALL.value,
        show_default=True,
        help="Whose inputs, parameters and results reports for people show; reports for programs hold all.",
    )(command)
    for report in reversed(FORMATS):
        command = option(report.option, metavar="FILE", type=Filled(), help=report.help)(command)
    return command


def together(*several: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Options that verbs have in common, in the order in which help lists them."""

    def add(command: _F) -> _F:
        for each in reversed(several):
            command = each(command)
        return command

    return add


SELECTION = together(TARGET, TARGETS, CATALOG, INPUTS, INPUTS_FILE, TAGS, KEYWORD)


def execution(usual_runs: str) -> Callable[[_F], _F]:
    """How runs are carried out; without `--runs` they are stored in `usual_runs`."""
    return together(YES, CONFIRM, HOLD, WAIT_LOCK, WAIT_READY, GRACE, _runs(usual_runs), QUIET, VERBOSE)


EXECUTION = execution(USUAL)
STORED_RUN = together(TARGETS, INPUTS, INPUTS_FILE, EXECUTION, reports)
"""How a stored run is carried out, by `resume` and by `rerun`."""
