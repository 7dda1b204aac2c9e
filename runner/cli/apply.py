"""`runner apply`: carries out the versions of jobs that have not been applied yet, each once at each target.

What was applied is in a ledger, a file that outlives the runs. Nothing is undone that is gone from the files.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click
from click.core import ParameterSource
from msgspec.structs import replace

from runner.cli import options, reports
from runner.cli.apply_command import apply_command
from runner.cli.apply_here import ApplyHere
from runner.cli.apply_options import OPTIONS, check_options, fleet_dsn
from runner.cli.command import wanted
from runner.cli.run import nothing_ran
from runner.cli.verb import Verb
from runner.execution.prepare import prepare
from runner.execution.run_spec import RunSet
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import listed
from runner.foundation.shell_words import shell_word
from runner.ledger.document import apply_document
from runner.ledger.file import LedgerFile
from runner.ledger.model import USUAL, AppliedVersion
from runner.ledger.nearby import ledgers_above
from runner.ledger.observing import StoredRuns
from runner.ledger.place import project_of
from runner.project.paths import called
from runner.reports.safe import clean, json_document
from runner.runs import USUAL as USUAL_RUNS
from runner.runs.store import LocalRunStore
from runner.terminal import output


@click.command("apply", cls=Verb)
@options.SPECS
@options.RECURSIVE
@OPTIONS
@options.SELECTION
@options.JOBS
@options.FAIL_FAST
@options.ALLOW_EMPTY
@options.execution(f"{USUAL_RUNS} beside the ledger; with --ledger in the current folder")
@options.form()
@options.reports
@click.pass_context
def apply(context: click.Context, /, **_: object) -> int:
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
    it is 0. With --db and without --wait, versions that are queued or under way count as 0.
    """
    given = context.params
    places = reports.asked_for(context)
    check_options(context, places)
    dsn = fleet_dsn(context)
    run_set = prepare(replace(wanted(context), has_ledger=True, secrets_elsewhere=dsn is not None))
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
    """Raise `UsageError` where these jobs were applied with a ledger above `base`, to which folders are relative,
    before their folder became a project of its own: all of them would be carried out a second time.
    """
    own = {(version.title, (base / version.folder).resolve()) for version in versions}
    for file in ledgers_above(base):
        above = file.parent.parent
        with closing(LedgerFile(file)) as other:
            newest = [entry.version for entry in other.newest()]
        known = [each.title for each in newest if (each.title, (above / each.folder).resolve()) in own]
        if known:
            named, runs = clean(called(file)), clean(called(above / USUAL_RUNS))
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
    """The ledger is that of `--ledger`, else that of the jobs' project, with the runs beside it.

    Raises `UsageError` where jobs of several projects are given, and no ledger is named.
    """
    given, named = context.params, context.params["ledger"]
    base = project_of(_job_files(run_set), only=named is None)
    store: LocalRunStore = given["runs"]
    if named is None and context.get_parameter_source("runs") is ParameterSource.DEFAULT:
        store = options.StoreOfRuns().convert(called(base / USUAL_RUNS), None, context)
    with closing(LedgerFile(named or Path(called(base / USUAL)))) as ledger:
        command = apply_command(context, run_set, places, ledger=ledger, runs=StoredRuns(store), store=store, base=base)
        if named is None and not given["adopt"] and not ledger.exists():
            _refuse_ledger_above(ledger, command.versions.all, base=base)
        return ApplyHere(command, store).carry_out()
