"""`runner apply`: carries out each version of a job once at each target; a ledger file records what was applied."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource
from msgspec.structs import replace

from runner.cli import hints, options, reports
from runner.cli.apply_command import apply_command
from runner.cli.apply_here import ApplyHere
from runner.cli.command import wanted
from runner.cli.run import nothing_ran
from runner.cli.verb import Verb, refuse_beside_db, typed_names
from runner.execution import stored_plans
from runner.execution.prepare import prepare
from runner.execution.run_spec import RunSet
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import listed
from runner.foundation.shell_words import shell_word
from runner.ledger.document import apply_document
from runner.ledger.file import LedgerFile
from runner.ledger.model import USUAL, AppliedVersion
from runner.ledger.observing import StoredRuns
from runner.ledger.place import ledgers_above, project_of
from runner.reading.files import display_path
from runner.reports.safe import clean, json_document
from runner.runs import USUAL as USUAL_RUNS
from runner.runs.store import LocalRunStore
from runner.terminal import output

_HERE: Final = ("ledger", "runs", "jobs", "fail_fast", "hold", "wait_lock", "wait_ready", "grace")
"""Options of whoever carries runs out."""


_OPTIONS: Final = options.together(
    options.option(
        "--dry-run",
        is_flag=True,
        help="Print what would be done; send nothing, and write nothing down. Exit 0, whatever failed before.",
    ),
    options.option(
        "--wait",
        metavar="DURATION",
        help="Wait up to this long for versions that another command runs now; without this option they are exit 3. "
        "With --db, wait for all versions; without this option the exit code is 0 as soon as they are queued.",
    ),
    options.typed_option(
        "--retry",
        type=hints.OneWord(["failed", "refused"]),
        help="Carry out once more what ended and did not pass, or with `refused` only what was refused before it "
        "began; what is unknown is never repeated.",
    ),
    options.option(
        "--for",
        "key",
        envvar="CREATIO_RUNNER_APPLY_FOR",
        metavar="KEY",
        help="Make this text, such as a release, part of each version: all are carried out once for it. Its variable "
        "is CREATIO_RUNNER_APPLY_FOR.",
    ),
    options.option(
        "--every",
        envvar="CREATIO_RUNNER_APPLY_EVERY",
        metavar="DURATION",
        help="Carry each version out once in each stretch of this length, `24h`, counted in UTC. Its variable is "
        "CREATIO_RUNNER_APPLY_EVERY.",
    ),
    options.option("--in-order", is_flag=True, help="Let each job wait until the job before it has passed."),
    options.typed_option("--adopt", is_flag=True, help="Mark the versions as done without running them; send nothing."),
    options.typed_option(
        "--prune",
        is_flag=True,
        help="Do not list jobs any more whose files are deleted; the ledger keeps what they did.",
    ),
    options.option(
        "--ledger",
        metavar="FILE",
        help="The file that holds which versions were applied. [default: .runner/ledger beside targets.yaml]",
    ),
    options.option(
        "--db",
        "dsn",
        metavar="URL",
        help="Queue the versions in the PostgreSQL database of a fleet, whose workers carry them out; the ledger is "
        "there, too: `postgresql://HOST/NAME`, or as libpq takes it.",
    ),
    options.option(
        "--fleet",
        metavar="NAME",
        help="With --db, the name of the ledger: repositories that share a database have one each.",
    ),
)


@click.command("apply", cls=Verb)
@options.SPECS
@options.RECURSIVE
@_OPTIONS
@options.SELECTION
@options.JOBS
@options.FAIL_FAST
@options.ALLOW_EMPTY
@options.execution(f"{USUAL_RUNS} beside the ledger; with --ledger in the current folder")
@options.form()
@options.reports
def apply(context: click.Context) -> int:
    r"""Carry out the jobs in SPEC that are new or changed, each version once at each target.

    A version is what a job does: its steps, files, inputs, case and target, without comments, texts and secrets. A
    version that has passed is not carried out again, nor is a version that failed, until the job changes or `--retry
    failed`. A run that broke off goes on. What is unknown is never repeated: settle it, as `runner show` says.

    With --db workers of a fleet carry the versions out: this machine then needs no secrets and does not call the sites.
    An earlier version that has not begun is taken out of the queue, a version that has begun ends first.

    \b
    Examples:
      runner apply specs -t staging --dry-run
      runner apply specs -t staging --report-junit junit.xml
      runner apply specs -t staging --retry failed
      runner apply smoke -t staging --for "$REVISION"
      runner apply nightly -t staging --every 24h
      runner apply specs -t staging --adopt
      runner apply specs -t staging --db postgresql://HOST/NAME --wait 30m

    Exit codes are those of `runner run`, the worst of all versions: also of those that failed before. With --dry-run
    they count as 0; with --db and without --wait, so do versions that are queued or under way.
    """
    given = context.params
    places = reports.asked_for(context)
    _check_options(context, places)
    dsn = _fleet_dsn(context)
    asked = replace(wanted(context), has_ledger=True, secrets_elsewhere=dsn is not None, sends_nothing=given["dry_run"])
    run_set = prepare(asked)
    output.problems(*run_set.warnings)
    if not given["quiet"]:
        output.say_lines(run_set.not_read)
    if not run_set.runs:
        code = nothing_ran(run_set.nothing, places, is_allowed=given["allow_empty"])
        if given["form"] == "json":
            none = apply_document((), {}, ledger="", dry_run=given["dry_run"], repeated={}, gone=(), exit_code=code)
            output.data(json_document(none), for_programs=True)
        return code
    if dsn is not None:
        from runner.cli.apply_fleet import apply_to_fleet  # noqa: PLC0415  15 ms, for whoever names a database

        return apply_to_fleet(context, run_set, places, dsn, base=project_of(_job_files(run_set)))
    return _applied_here(context, run_set, places)


def _refuse_ledger_above(ledger: LedgerFile, versions: Sequence[AppliedVersion], *, base: Path) -> None:
    """Raise `UsageError` where a ledger above `base` has these jobs: a new ledger would carry them out again."""
    own = {(version.title, (base / version.folder).resolve()) for version in versions}
    for file in ledgers_above(base):
        above = file.parent.parent
        with closing(LedgerFile(file)) as other:
            newest = [entry.version for entry in other.newest()]
        known = [each.title for each in newest if (each.title, (above / each.folder).resolve()) in own]
        if known:
            named, runs = clean(display_path(file)), clean(display_path(above / USUAL_RUNS))
            message = (
                f"{listed([*map(clean, known)])}: applied before with the ledger {named}, and not with "
                f"{clean(ledger.name)}, which is new"
            )
            options = f"--ledger {shell_word(named)} --runs {shell_word(runs)}"
            hint = f"go on with the ledger of before: `{options}`; or mark what was applied as done: `--adopt`"
            raise UsageError(Problem(code="E185", message=message, hint=hint))


def _job_files(run_set: RunSet) -> list[Path]:
    return list(map(Path, {run.job.file: None for run in run_set.runs}))


def _applied_here(context: click.Context, run_set: RunSet, places: reports.ReportPlaces) -> ExitCode:
    """Apply on this machine. Raises `UsageError` for jobs of several projects without `--ledger`."""
    given, named = context.params, context.params["ledger"]
    base = project_of(_job_files(run_set), only=named is None)
    store: LocalRunStore = given["runs"]
    if named is None and context.get_parameter_source("runs") is ParameterSource.DEFAULT:
        store = options.StoreOfRuns().convert(display_path(base / USUAL_RUNS), None, context)
    with closing(LedgerFile(named or Path(display_path(base / USUAL)))) as ledger:
        command = apply_command(context, run_set, places, ledger=ledger, runs=StoredRuns(store), store=store, base=base)
        if named is None and not given["adopt"] and not ledger.exists():
            _refuse_ledger_above(ledger, command.versions.all, base=base)
        return ApplyHere(command, store).carry_out()


def _check_options(context: click.Context, places: reports.ReportPlaces) -> None:
    given = context.params
    if given["form"] == "json" and places.use_stdout:
        message = "`--format json` and a report both go to stdout"
        raise UsageError(Problem(code="E150", message=message, hint="write the report into a file"))
    if any(map(stored_plans.is_plan, given["specs"])):
        hint = "`runner run` carries a stored plan out, once"
        raise UsageError(Problem(code="E150", message="`apply` takes job files, not stored plans", hint=hint))
    typed = sorted(name for name in typed_names(context) if name.startswith("report_") and name != "report_values")
    if given["dry_run"] and typed:  # a report that a variable asks for is left out
        message = f"`--dry-run` carries nothing out, so `--{typed[0].replace('_', '-')}` has nothing to report"
        hint = "leave it out; `--dry-run --format json` prints what would be done as JSON"
        raise UsageError(Problem(code="E150", message=message, hint=hint))
    for first, second in (("key", "every"), ("adopt", "dry_run"), ("adopt", "retry")):
        if given[first] and given[second]:
            names = {"key": "for", "dry_run": "dry-run"}
            message = f"`--{names.get(first, first)}` and `--{names.get(second, second)}` do not go together"
            raise UsageError(Problem(code="E150", message=message, hint="choose one of them"))


def _fleet_dsn(context: click.Context) -> str | None:
    """The database of the fleet; None where this command carries the versions out. Raises `UsageError`."""
    dsn: str | None = context.params["dsn"]
    typed = typed_names(context)
    here = [name for name in typed if name in _HERE]
    if dsn is None or ("dsn" not in typed and "ledger" in here):
        if "fleet" in typed:
            hint = "name the database with `--db`"
            raise UsageError(Problem(code="E150", message="`--fleet` names a ledger in a database", hint=hint))
        return None
    because, hint = "its workers carry the runs out", "leave out `{}`, or `--db`"
    refuse_beside_db(context, here, because=because, hint=hint)
    options.check_fleet_library()
    return dsn
