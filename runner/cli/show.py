"""The verbs that draw stored runs: `show` for a person, `report` as files, `diff` what differs between two."""

from collections.abc import Iterable, Iterator, Sequence

import click
from msgspec.structs import replace

from runner.cli import options, reports
from runner.cli.nearby import damage, local_store, named_run, run_before, warn_of_damage
from runner.cli.verb import Verb
from runner.execution.planned_runs import lacking_problem, lacking_steps, never_begun
from runner.foundation.problems import ExitCode, Problem, UsageError, strongest
from runner.foundation.sentences import joined_by_or
from runner.planning import snapshot
from runner.reports import diff as differences
from runner.reports.changes import ComparedRun
from runner.reports.console import lines
from runner.reports.formats import FORMATS, HTML
from runner.reports.json import report as document
from runner.reports.reported import ReportedCommand, ReportedRun, alone
from runner.reports.run_again import rerun_steps
from runner.reports.sentences import Detail, Sentence
from runner.reports.spans import timed
from runner.reports.summary import what_next
from runner.reports.transcript import rows_of, so_far, whole
from runner.runs.events import RunStatus
from runner.runs.store import Part
from runner.runs.stored_runs import NotBegunError, StoredRun, command_of, runs_of_command
from runner.terminal import output


@click.command("show", cls=Verb)
@options.RUN
@options.RUNS
@options.DB
@click.argument("step", metavar="[STEP]", required=False, type=options.Filled())
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
        from runner.cli.fleet import state_of  # noqa: PLC0415  15 ms: only a fleet has such runs

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
    detail = Detail(verbose=verbose, place=run.store.place(run.id), advice=run.flaw is None, starter=True)
    if run.is_running:  # only what has ended: nothing is concluded from what is missing
        _print(so_far(run.lines, detail))
        silent = run.store.seconds_silent(run.id)
        if silent is not None:
            output.data(f"its worker has been silent for {silent:.0f} s; a worker that is started takes the run over\n")
    else:
        _print(whole(run.result, detail))
        if run.flaw is None:
            if run.result.status is not RunStatus.PASSED:
                _print(what_next(rerun_steps(timed(run.lines, result=run.result))))
            _print(
                what_next(
                    lacking_steps(never_begun(run), run.result, waits=bool(run.lines) and not run.result.finished)
                )
            )
    if run.flaw is None:
        if run.result.finished and not run.has_report:
            gone = "is gone: only a hash that is kept elsewhere can show whether the events were changed"
            output.data(f"{run.store.place(run.id, Part.REPORT)} {gone}\n")
        return ExitCode.PASSED
    output.data(f"{run.damage}\n  {run.left_to_do}\n")
    return ExitCode.FAILED


def _print(sentences: Sequence[Sentence]) -> None:
    output.data(lines(sentences, encoding=output.encoding()))


def _show_step(run: StoredRun, step: str) -> ExitCode:
    found = rows_of(run.lines, step, Detail(verbose=True), is_running=run.is_running)
    if not found:
        from runner.reports.curl_script import unknown_step  # noqa: PLC0415  2 ms, for a mistake only

        raise UsageError(unknown_step(run.result, step))
    _print(found)
    return ExitCode.FAILED if warn_of_damage(run) else ExitCode.PASSED


def _show_document(run: StoredRun, context: click.Context) -> ExitCode:
    if context.params["curl"] or context.params["step"] is not None:
        hint = "choose the row by `key` from its `runs[0].steps`: `each_attempt` there has what was sent"
        raise UsageError(Problem(code="E150", message="`--format json` prints the whole run only", hint=hint))
    found = document(alone(ReportedRun(result=run.result, lines=run.lines)))
    output.data(b"".join(found).decode(), for_programs=True)
    return ExitCode.FAILED if warn_of_damage(run) else ExitCode.PASSED


def _show_curl(run: StoredRun, step: str | None) -> ExitCode:
    from runner.reports import curl_script  # noqa: PLC0415  2 ms, for this option only

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

    Exits with the strongest code of the runs; 2 where one of them is under way: it has no report yet.
    """
    places, opens = reports.asked_for(context), context.params["opens"]
    page = places.by_format.get(HTML.name)
    if opens and (page == reports.STDOUT or (page is None and context.params["database"] is context.params["runs"])):
        message = f"`--open` shows a file, and {'stdout is none' if page else 'runs of a fleet are none'}"
        hint = "name a file for the page with `--report-html FILE`"
        raise UsageError(Problem(code="E150", message=message, hint=hint))
    if not places.by_format and not opens:
        hint = f"add {joined_by_or([report.option for report in FORMATS])} with a FILE, or `-` for stdout"
        raise UsageError(Problem(code="E150", message="no report was asked for", hint=hint))
    named = [named_run(context, name) for name in dict.fromkeys(context.params["chosen"])]
    if context.params["together"]:
        named = [run for named_run in named for run in runs_of_command(named_run)]
    found = {run.id: run for run in named}
    _refuse_under_way(found.values())
    reported = [ReportedRun(result=run.result, lines=run.lines) for run in found.values()]
    damaged = [damage(run) for run in found.values() if run.flaw is not None]
    problems = [*damaged, *(_never_begun(named) if context.params["together"] else ())]
    code = strongest(run.result.exit_code for run in reported)
    if problems and code is ExitCode.PASSED:
        code = ExitCode.FAILED if damaged else ExitCode.NO_ANSWER
    command = ReportedCommand(runs=reported, exit_code=code, problems=problems)
    output.problems(*problems)
    reports.write(places, command)
    if opens:
        reports.open_page(page or _stored_page(context, replace(command, values=places.values)))
    if code is not ExitCode.PASSED:
        output.say(f"the reports are written; exit {code:d}")
    return code


def _stored_page(context: click.Context, command: ReportedCommand) -> str:
    last = command.runs[-1].result.id
    return reports.stored_page(command, local_store(context, last), run=last)


def _never_begun(runs: Sequence[StoredRun]) -> Iterator[Problem]:
    """The runs that the commands of these runs never began: a report without them would look green."""
    seen = set()
    for run in runs:
        if (command := command_of(run.store, run.id)) not in seen:
            seen.add(command)
            yield from lacking_problem(never_begun(run), run.result)


@click.command("diff", cls=Verb)
@click.argument("first", metavar="RUN1", type=options.Filled())
@click.argument("second", metavar="[RUN2]", required=False, type=options.Filled())
@options.RUNS
@options.DB
@options.form()
def diff(context: click.Context) -> int:
    r"""Show what differs between two runs: `last`, a run's id, or a unique prefix of it. RUN1 alone is compared with
    the run of the same job, case and target before it.

    First comes what changed before the site answered: the job's files, the inputs, the calls of which steps. Then
    status, job, target, commit and inputs; of each row how it ended and why, its proof, its attempts, what was sent,
    its result by path. Ids that stand for one another everywhere, and moments, are the same. Times that differ by more
    than 25 % and 100 ms are shown, and are no difference either.

    \b
    Examples:
      runner diff last
      runner diff 0194d2a0 last
      runner diff 0194d2a0 last --format json | jq .changed

    Exit 0 where nothing differs, 1 where something does, 2 for a run that cannot be compared.
    """
    given = context.params
    last = named_run(context, given["second"] or given["first"])
    first = named_run(context, given["first"]) if given["second"] else run_before(context, last)
    found = differences.compare(_compared(first), _compared(last))
    is_json = given["form"] == "json"
    output.data(differences.as_json(found) if is_json else differences.text(found), for_programs=is_json)
    return ExitCode.PASSED if found.is_same else ExitCode.FAILED


def _refuse_under_way(runs: Iterable[StoredRun]) -> None:
    """What is missing in the events of a run that goes on would be reported as if it had broken off."""
    for run in runs:
        if run.is_running:
            hint = f"wait until it has ended; `runner show {run.id}` shows how far it is"
            raise UsageError(Problem(code="E156", message=f"run {run.id} is under way", hint=hint))


def _compared(run: StoredRun) -> ComparedRun:
    _refuse_under_way([run])
    warn_of_damage(run)
    found = snapshot.read(run.store, run.id)
    files = {} if isinstance(found, Problem) else found.plan.sources
    return ComparedRun(result=run.result, lines=run.lines, files=files)
