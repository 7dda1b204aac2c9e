"""The verbs that list stored runs: `runs`, which also deletes old ones, and `history`, what each step did over them."""

import time
from collections.abc import Sequence
from itertools import dropwhile, islice
from pathlib import Path

import click
from msgspec import to_builtins
from msgspec.structs import replace

from runner.cli import hints, options
from runner.cli.nearby import say_where_others_are
from runner.cli.verb import Verb
from runner.execution.planned_runs import lacking_commands, lacking_steps
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import job_and_case, plural
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject
from runner.project.paths import refused_by_system
from runner.reading.files import read_bytes
from runner.reports import history as step_history
from runner.reports.next_steps import next_steps
from runner.reports.run_again import run_again
from runner.reports.runs import Listed, table
from runner.reports.safe import clean, json_document
from runner.reports.spans import timed
from runner.reports.words import failing_step, own_error
from runner.runs.events import RunStatus
from runner.runs.history import PastRun, bounded, history_line, past_runs, remember
from runner.runs.run_filter import RunFilter, age, run_filter
from runner.runs.status import RUNNING
from runner.runs.store import LocalRunStore, RunStore
from runner.runs.stored_runs import StoredRun, command_of, load_if_readable, planned_name, refused_as
from runner.secrets.shown import hide
from runner.terminal import output

_STATUSES = (*map(str, RunStatus), RUNNING)

run_filters = options.together(
    options.option(
        "--job",
        "job",
        multiple=True,
        type=options.WholeText(),
        metavar="NAME",
        help="Only runs of this job, or of `job[case]`; several times: of one of them.",
    ),
    options.targets("Only runs at this target."),
    options.option(
        "--status",
        "status",
        multiple=True,
        type=hints.OneWord(_STATUSES),
        help="Only runs that ended so, or that are running; several times: in one of these ways.",
    ),
    options.option(
        "--since",
        metavar="WHEN",
        help="Only runs that began since then: an age, `12h` or `7d`, or a moment in UTC, `2026-01-31`.",
    ),
)
"""The options that select stored runs."""


@click.command("runs", cls=Verb)
@options.RUNS
@options.DB
@options.form()
@options.option("-n", "--limit", metavar="N", help="Only the N newest.")
@run_filters
@options.typed_option(
    "--prune", metavar="AGE", type=options.Filled(), help="Delete runs older than this: `30d`, `12h`."
)
def runs(context: click.Context) -> int:
    r"""List the stored runs, the newest first, with the step that failed; below them the commands that settle what is
    open.

    \b
    Examples:
      runner runs
      runner runs --job contact-smoke -t staging --status failed --since 7d
      runner runs -n 20 --format json | jq -r '.runs[] | select(.status != "passed").id'
      runner runs --prune 30d

    With --prune the filters select what is deleted. A run that broke off, or whose outcome is unknown, is never
    deleted: somebody still has to settle it.
    """
    store: RunStore = context.params["runs"]
    wanted = run_filter(context.params)
    if context.params["prune"] is not None:
        _check_prune(context)
        deleted = _prune(context.params["runs"], wanted, age(context.params["prune"], option="--prune"))
        output.say(f"{plural(deleted, 'run')} deleted")
        say_where_others_are(context, "runs")
        return ExitCode.PASSED
    is_json = context.params["form"] == "json"
    chosen = islice(wanted.selected(store), context.params["limit"])
    listed = _with_lacking([_listed(run, with_rerun=is_json) for run in chosen], store)
    nothing = "no runs yet" if wanted == RunFilter() or listed else wanted.why_nothing(store)
    output.data(as_json(listed) if is_json else table(listed, nothing=nothing), for_programs=is_json)
    say_where_others_are(context, "runs")
    return ExitCode.PASSED


def _check_prune(context: click.Context) -> None:
    """Raise `UsageError` for what does not go with `--prune`."""
    if context.params["database"] is context.params["runs"]:
        message = "`--prune` deletes runs in a folder, not of a fleet"
        hint = "`runner fleet prune AGE` deletes old runs of a fleet"
    elif context.params["limit"] is not None:
        message = "`--limit` does not go with `--prune`: runs are deleted by their age, not by their number"
        hint = "leave `-n` out; `--job`, `-t`, `--status` and `--since` select what is deleted"
    elif context.params["form"] == "json":
        message = "`--format json` does not go with `--prune`, which lists no runs"
        hint = "leave it out; `runner runs --format json` before it lists them"
    else:
        return
    raise UsageError(Problem(code="E150", message=message, hint=hint))


def as_json(listed: Sequence[Listed]) -> str:
    return json_document({"format": 1, "runs": [_record(run) for run in listed]})


def _record(listed: Listed) -> JsonObject:
    """`next` are the commands that settle what is open: none does for a run that is under way, or was changed."""
    run, again = listed.result, listed.again
    is_open = not (listed.is_running or listed.changed)
    steps = [*next_steps(run), *listed.lacking] if is_open else []
    commands: list[Json] = [step.command for step in steps]
    rerun: Json = None
    if again is not None:
        repeats: list[Json] = [key for key, _ in again.repeated]
        rerun = hide({"command": again.command, "repeats": repeats, "mended": again.mended or None})
    return {
        "id": run.id,
        "job": run.job or None,
        "case": run.case,
        "target": run.target.name or None,
        "status": None if listed.is_running else str(run.status),
        "exit_code": None if listed.is_running else int(run.exit_code),
        "started_at": run.started_at or None,
        "seconds": run.seconds,
        "finished": run.finished,
        "going_on": listed.is_running,
        "changed": listed.changed,
        "begun_by": to_builtins(run.begun_by),
        "rerun_of": run.rerun_of,
        "failing": _failing(listed),
        "next": commands,
        "rerun": rerun,
    }


def _failing(listed: Listed) -> Json:
    step = None if listed.is_running else failing_step(listed.result)
    error = own_error(listed.result) if step is None else step.error
    if step is None and (listed.is_running or error is None):
        return None
    code, message = (None, None) if error is None else (error.code, error.message)
    return hide({"step": None if step is None else step.key, "code": code, "message": message})


def _listed(run: StoredRun, *, with_rerun: bool) -> Listed:
    """`with_rerun`: with how a run that ended badly can be carried out once more; what is open is settled first."""
    listed = Listed(
        result=run.result,
        is_running=run.is_running,
        changed=run.flaw is not None,
        is_foreign=run.reading.is_foreign,
        planned="" if run.result.job else _planned_title(run),
    )
    if not with_rerun or run.result.status is RunStatus.PASSED or listed.is_running or listed.changed:
        return listed
    found = run_again(timed(run.lines, result=run.result))
    return replace(listed, again=found) if found.command else listed


def _with_lacking(listed: Sequence[Listed], store: RunStore) -> list[Listed]:
    """Each command that never began some of its runs is named below the newest of its runs that is listed."""
    if store.name.is_fleet or not listed:
        return [*listed]
    listed_by = {run.result.id: command_of(store, run.result.id) or run.result.id for run in listed}
    oldest = since = min(listed_by)
    for earlier in dropwhile(lambda run: run >= oldest, store.newest()):
        if command_of(store, earlier) not in listed_by.values():
            break
        since = earlier
    found = {command_of(store, each.first) or each.first: each for each in lacking_commands(store, since=since)}
    shown = []
    for run in listed:
        lacking = found.pop(listed_by[run.result.id], None)
        waits = bool(run.result.job) and not run.result.finished  # a run without events never began
        steps = () if lacking is None else tuple(lacking_steps(lacking.lacking, run.result, waits=waits))
        shown.append(replace(run, lacking=steps))
    return shown


def _planned_title(run: StoredRun) -> str:
    """`job[case]@target` by the plan, which is stored before the first event; empty where it is not there either."""
    name = planned_name(run.store, run.id)
    return "" if name is None else f"{job_and_case(name[0], name[1])}@{name[2]}"


def _prune(store: LocalRunStore, wanted: RunFilter, seconds: float) -> int:
    """Delete what is selected, old and settled; how many. Their history stays: a ledger reads ends from it."""
    limit = time.time() - seconds
    old = [run for run in wanted.selected(store, before=limit) if _is_settled(run)]
    with refused_as("old runs cannot be deleted"):
        known = {past.run for past in past_runs(store.history())} if old else set()
        for run in old:
            if run.id not in known and run.result.finished:  # who carried it out was killed before it added the line
                remember(store, run.result)
            store.delete(run.id)
        if wanted == RunFilter():
            store.delete_sandboxes(before=limit)
    return len(old)


def _is_settled(run: StoredRun) -> bool:
    """Whether nothing is left to do about the run; of a run that broke off before it began there never was anything."""
    if run.is_running:
        return False
    if not run.lines and run.flaw is None:
        return True
    return run.result.finished and run.result.status is not RunStatus.UNKNOWN


_LARGEST = 1 << 24


@click.command("history", cls=Verb)
@click.argument("name", required=False, metavar="[JOB[CASE][@TARGET]]", type=options.Filled())
@options.option("-n", "--limit", metavar="N", default=20, show_default=True, help="The N newest of a name.")
@options.option(
    "--file",
    metavar="FILE",
    type=options.NamedFile("`runner history {}` names a job"),
    help="Read this history, such as another machine's `.runner/history.jsonl`.",
)
@options.option("--rebuild", is_flag=True, help="Read all stored runs, and write the history of them anew, first.")
@options.RUNS
@options.DB
@options.form()
def history(context: click.Context) -> int:
    r"""Show what each step did over the last runs of a job: how often it passed, at a later attempt only, how long it
    took, when it failed last.

    \b
    Examples:
      runner history
      runner history contact-smoke@staging
      runner history "billing[new]" -n 50 --format json

    Each run that ends, or is settled, adds a line to `.runner/history.jsonl`: no inputs and results, but the site's
    words of an error. The newest 100 of a name are left there when the runs are pruned; all of it has at most 8 MiB.

    Exit 0, or 2 where there is no run of this name.
    """
    given = context.params
    store: RunStore = given["runs"]
    if given["rebuild"]:
        if given["file"] is not None:
            message = "`--rebuild` writes the history of the stored runs, and `--file` reads another"
            raise UsageError(Problem(code="E150", message=message, hint="leave one of them out"))
        output.say(f"{plural(_rebuilt(store), 'run')} read")
    runs = past_runs(_content(store, given["file"]))
    if given["name"] is not None:
        runs = _named(given["name"], runs)
    histories = step_history.grouped(runs, newest=given["limit"])
    is_json = given["form"] == "json"
    if is_json or histories:
        shown = step_history.as_json(histories) if is_json else step_history.text(histories)
        output.data(shown, for_programs=is_json)
    else:
        output.data("no history yet: each run that ends adds to it, and `--rebuild` reads the stored runs\n")
    if given["file"] is None:
        say_where_others_are(context, "history")
    return ExitCode.PASSED


def _content(store: RunStore, file: Path | None) -> bytes:
    if file is None:
        with refused_as("the history cannot be read"):
            return store.history()
    with refused_by_system(f"the history {clean(str(file))} cannot be read", code="E100"):
        return read_bytes(file, most=_LARGEST)


def _named(name: str, runs: Sequence[PastRun]) -> list[PastRun]:
    """The runs of a job, of a case of it, or of either at a target. Raises `UsageError` where there is none."""
    found = [run for run in runs if name in _names(run)]
    if not found:
        known = sorted({other for run in runs for other in _names(run)})
        near = suggest(name, known)
        hint = f"did you mean `{clean(near)}`?" if near else "`runner history` lists all names"
        raise UsageError(Problem(code="E152", message=f"there is no run of `{clean(name)}` in the history", hint=hint))
    return found


def _names(run: PastRun) -> tuple[str, ...]:
    return run.title, run.job_and_case, run.job, f"{run.job}@{run.target}"


def _rebuilt(store: RunStore) -> int:
    """Put a line for each stored run that has ended into the history; how many. Lines added meanwhile stay."""
    before = _content(store, None)
    lines: list[bytes] = []
    for name in store.runs():
        run = load_if_readable(store, name)
        if run is not None and run.result.job and not run.is_running:
            lines.append(history_line(run.result))
    if lines:
        added = b"".join(line + b"\n" for line in lines)

        def with_added(content: bytes) -> bytes:
            at = len(before) if content.startswith(before) else 0
            return bounded(content[:at] + b"\n" + added + content[at:])

        with refused_as("the history cannot be written"):
            store.change_history(with_added)
    return len(lines)
