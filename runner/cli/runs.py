"""The verbs that only read stored runs: `runs` lists them and deletes old ones, `show`, `report` draw runs again."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

import click
from msgspec import to_builtins
from msgspec.structs import replace

from runner.cli import hints, options, reports
from runner.cli.nearby import damage, named_run, say_where_others_are, warn_of_damage
from runner.cli.verb import Verb
from runner.execution.planned_runs import lacking_commands, lacking_problem, lacking_steps, never_begun
from runner.foundation.problems import ExitCode, Problem, UsageError, strongest
from runner.foundation.sentences import either, job_and_case, many
from runner.foundation.values import Json, JsonObject
from runner.reports.console import lines
from runner.reports.formats import FORMATS, HTML
from runner.reports.next_steps import next_steps
from runner.reports.reported import ReportedCommand, ReportedRun, alone
from runner.reports.run_again import RunAgain, rerun_steps, run_again
from runner.reports.runs import Listed, table
from runner.reports.safe import json_document
from runner.reports.sentences import Detail, Sentence
from runner.reports.spans import timed
from runner.reports.summary import what_next
from runner.reports.transcript import rows_of, so_far, whole
from runner.reports.words import failing_step, meaning
from runner.runs.events import RunStatus
from runner.runs.history import past_runs, remember
from runner.runs.run_filter import RunFilter, age, run_filter
from runner.runs.status import RUNNING
from runner.runs.store import LocalRunStore, RunStore
from runner.runs.stored_runs import (
    NotBegunError,
    StoredRun,
    command_of,
    planned_name,
    refused_as,
    runs_of_command,
)
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
@options.option("--prune", metavar="AGE", help="Delete runs older than this: `30d`, `12h`.")
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
        output.say(f"{many(deleted, 'run')} deleted")
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


@click.command("show", cls=Verb)
@options.RUN
@options.RUNS
@options.DB
@click.argument("step", metavar="[STEP]", required=False)
@options.option("-v", "--verbose", is_flag=True, help="Print results and outputs, too.")
@options.option("--curl", is_flag=True, help="Print what was sent, all of it or by STEP, as commands of curl.")
@options.form()
def show(context: click.Context) -> int:
    r"""Show what happened in RUN: `last`, a run's id, or a unique prefix of it; and what it needs next. With STEP
    only what happened in that step, with its result and outputs.

    \b
    Examples:
      runner show last
      runner show last read
      runner show last --curl read > read.sh

    --curl prints a script for bash or zsh, which signs in and sends the same requests again. Secrets are variables in
    it, which you set before. A call that must not happen twice is marked: it starts its process again.

    For programs `--format json` prints the JSON report of the run, as `runner report RUN --report-json -` does.

    Exit 0, or 1 where a line of the run's events does not match the line before: somebody changed the file.
    """
    try:
        run = named_run(context, context.params["run"])
    except NotBegunError as error:
        if context.params["form"] == "json":
            raise
        from runner.cli.status import state_of  # noqa: PLC0415  only a fleet has such runs

        output.data(state_of(context.params["database"], error.run))
        return ExitCode.PASSED
    if context.params["form"] == "json":
        return _show_document(run, context)
    if context.params["curl"]:
        return _show_curl(run, context.params["step"])
    if context.params["step"] is not None:
        return _show_step(run, context.params["step"])
    return _show_run(run, verbose=context.params["verbose"])


def _show_run(run: StoredRun, *, verbose: bool) -> int:
    place, name = run.store.place(run.id), run.store.name
    detail = Detail(verbose=verbose, place=place, store=name, advice=run.flaw is None, starter=True)
    if run.is_running:  # only what has ended: nothing is concluded from what is missing
        _print(so_far(run.lines, detail))
        silent = run.store.seconds_silent(run.id)
        if silent is not None:
            output.data(f"its worker has been silent for {silent:.0f} s; a worker that is started takes the run over\n")
    else:
        _print(whole(run.result, detail))
        if run.flaw is None:
            if run.result.status is not RunStatus.PASSED:
                _print(what_next(rerun_steps(timed(run.lines, result=run.result), store=name)))
            _print(what_next(lacking_steps(never_begun(run), run.result, name)))
    if run.flaw is None:
        return ExitCode.PASSED
    output.data(f"{run.damage}\n  {run.left_to_do}\n")
    return ExitCode.FAILED


def _print(sentences: Sequence[Sentence]) -> None:
    output.data(lines(sentences, encoding=output.encoding()))


def _show_step(run: StoredRun, step: str) -> ExitCode:
    """The rows of a step, with all that is known of them."""
    found = rows_of(run.lines, step, Detail(verbose=True), is_running=run.is_running)
    if not found:
        from runner.reports.curl_script import unknown_step  # noqa: PLC0415  for a mistake only

        raise UsageError(unknown_step(run.result, step))
    _print(found)
    return ExitCode.FAILED if warn_of_damage(run) else ExitCode.PASSED


def _show_document(run: StoredRun, context: click.Context) -> ExitCode:
    if context.params["curl"] or context.params["step"] is not None:
        hint = "choose the row by `key` from its `runs[0].steps`"
        raise UsageError(Problem(code="E150", message="`--format json` prints the whole run only", hint=hint))
    from runner.reports.json import report as document  # noqa: PLC0415  1 ms, for programs

    found = document(alone(ReportedRun(result=run.result, lines=run.lines)))
    output.data(b"".join(found).decode(), for_programs=True)
    return ExitCode.FAILED if warn_of_damage(run) else ExitCode.PASSED


def _show_curl(run: StoredRun, step: str | None) -> ExitCode:
    from runner.reports import curl_script  # noqa: PLC0415  for this option only

    script = curl_script.script(timed(run.lines, result=run.result), step=step)
    if isinstance(script, Problem):
        raise UsageError(script)
    output.data(script, for_programs=True)
    return ExitCode.FAILED if warn_of_damage(run) else ExitCode.PASSED


@click.command("report", cls=Verb)
@options.SEVERAL_RUNS
@options.RUNS
@options.DB
@options.reports
@options.option("--together", is_flag=True, help="Of each RUN all runs that its command began.")
@options.option(
    "--open", "opens", is_flag=True, help="Open the page; without `--report-html` it is written to the run."
)
def report(context: click.Context) -> int:
    r"""Write reports of one or more runs again, all runs in one of each format. RUN is `last`, a run's id, or a unique
    prefix of it.

    \b
    Examples:
      runner report last --report-junit junit.xml
      runner report last --report-json - | jq .status
      runner report last --open
      runner report last --together --report-html page.html

    Exits with the strongest code of the runs.
    """
    places, opens = reports.asked_for(context), context.params["opens"]
    if opens and HTML.name not in places.by_format and context.params["database"] is context.params["runs"]:
        hint = "name a file for the page with `--report-html FILE`"
        raise UsageError(Problem(code="E150", message="`--open` shows a file, and runs of a fleet are none", hint=hint))
    if not places.by_format and not opens:
        hint = f"add {either([report.option for report in FORMATS])} with a FILE, or `-` for stdout"
        raise UsageError(Problem(code="E150", message="no report was asked for", hint=hint))
    named = [named_run(context, name) for name in dict.fromkeys(context.params["chosen"])]
    stores = {run.store.name: run.store for run in named}
    store = next(iter(stores.values())) if len(stores) == 1 else context.params["runs"]
    if context.params["together"]:
        named = [run for named_run in named for run in runs_of_command(named_run)]
    found = {run.id: run for run in named}
    reported = [ReportedRun(result=run.result, lines=run.lines) for run in found.values()]
    damaged = [damage(run) for run in found.values() if run.flaw is not None]
    problems = [*damaged, *(_never_begun(named) if context.params["together"] else ())]
    code = strongest(run.result.exit_code for run in reported)
    if problems and code is ExitCode.PASSED:
        code = ExitCode.FAILED if damaged else ExitCode.NO_ANSWER
    command = ReportedCommand(runs=reported, exit_code=code, problems=problems, store=store.name)
    output.problems(*problems)
    reports.write(places, command)
    if opens:
        reports.open_page(places, command, store=store)
    if code is not ExitCode.PASSED:
        output.say(f"the reports are written; exit {code:d} is {_whose(code, reported)}")
    return code


def _whose(code: ExitCode, reported: Sequence[ReportedRun]) -> str:
    if code not in {run.result.exit_code for run in reported}:
        if code is ExitCode.FAILED:
            return "of events that are not as they were written"
        return f"of what never began: {meaning(code)}"
    whose = "the run's own" if len(reported) == 1 else "the strongest of the runs"
    return f"{whose}: {meaning(code)}"


def _never_begun(runs: Sequence[StoredRun]) -> Iterator[Problem]:
    """What the commands of these runs never began: a report without it would look green."""
    seen = set()
    for run in runs:
        if (command := command_of(run.store, run.id)) not in seen:
            seen.add(command)
            yield from lacking_problem(never_begun(run), run.result, run.store.name)


def as_json(listed: Sequence[Listed]) -> str:
    return json_document({"format": 1, "runs": [_record(run) for run in listed]})


def _record(listed: Listed) -> JsonObject:
    """`next` are the commands that settle what is open: none does for a run that is under way, or was changed."""
    run, again = listed.result, listed.again
    is_open = not (listed.is_running or listed.changed)
    steps = [*next_steps(run, store=listed.store), *listed.lacking] if is_open else []
    commands: list[Json] = [step.command for step in steps]
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
        "failing": _failing(listed),
        "next": commands,
        "rerun": None if again is None else _rerun_document(again),
    }


def _rerun_document(again: RunAgain) -> Json:
    repeats: list[Json] = [key for key, _ in again.repeated]
    return hide({"command": again.command, "repeats": repeats, "mended": again.mended or None})


def _failing(listed: Listed) -> Json:
    step = None if listed.is_running else failing_step(listed.result)
    if step is None:
        return None
    code, message = (None, None) if step.error is None else (step.error.code, step.error.message)
    return hide({"step": step.key, "code": code, "message": message})


def _listed(run: StoredRun, *, with_rerun: bool) -> Listed:
    """`with_rerun`: with how a run that ended badly can be carried out once more; what is open is settled first."""
    listed = Listed(
        result=run.result,
        store=run.store.name,
        is_running=run.is_running,
        changed=run.flaw is not None,
        planned="" if run.result.job else _planned_title(run),
    )
    if not with_rerun or run.result.status is RunStatus.PASSED or listed.is_running or listed.changed:
        return listed
    found = run_again(timed(run.lines, result=run.result), store=listed.store)
    return replace(listed, again=found) if found.command else listed


def _with_lacking(listed: Sequence[Listed], store: RunStore) -> list[Listed]:
    """Each command that never began some of its runs is named below the newest of its runs that is listed."""
    if store.name.is_fleet or not listed:
        return [*listed]
    listed_by = {run.result.id: command_of(store, run.result.id) for run in listed}
    since = min(listed_by)
    for earlier in reversed([run for run in store.runs() if run < since]):
        if command_of(store, earlier) not in listed_by.values():
            break
        since = earlier
    found = {command_of(store, each.first): each for each in lacking_commands(store, since=since)}
    shown = []
    for run in listed:
        lacking = found.pop(listed_by[run.result.id], None)
        steps = () if lacking is None else tuple(lacking_steps(lacking.lacking, run.result, store.name))
        shown.append(replace(run, lacking=steps))
    return shown


def _planned_title(run: StoredRun) -> str:
    """`job[case]@target` by the plan, which is stored before the first event; empty where it is not there either."""
    name = planned_name(run.store, run.id)
    return "" if name is None else f"{job_and_case(name[0], name[1])}@{name[2]}"


def _prune(store: LocalRunStore, wanted: RunFilter, seconds: float) -> int:
    """Delete what is selected, older and settled; how many runs that were. Their lines in the history are left: by
    them a ledger knows how a run ended that was deleted.
    """
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
