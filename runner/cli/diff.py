"""`runner diff`: what differs between two stored runs."""

import click

from runner.cli import options, output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, Severity, UsageError
from runner.reports.diff import ComparedRun, as_json, compare, text
from runner.runs.store import RunStore
from runner.runs.stored_runs import find


@click.command("diff", cls=Verb)
@click.argument("first", metavar="RUN1")
@click.argument("second", metavar="RUN2")
@options.RUNS
@options.form()
@click.pass_context
def diff(context: click.Context, /, **_: object) -> int:
    r"""Show what differs between two runs: `last`, a run's id, or a unique beginning of it.

    Compared are status, job, target, commit and inputs; of each row how it ended and why, its proof, its attempts, the
    call that was sent, its result by path. Ids that stand for one another everywhere, and moments, are the same; so are
    times, up to 25 % and 100 ms.

    \b
    Examples:
      runner diff 0194d2a0 last
      runner diff 0194d2a0 last --format json | jq .rows

    Exit 0 where nothing differs, 1 where something does, 2 for a run that cannot be compared.
    """
    given = context.params
    found = compare(_run(given["runs"], given["first"]), _run(given["runs"], given["second"]))
    is_json = given["form"] == "json"
    output.data(as_json(found) if is_json else text(found), for_programs=is_json)
    return ExitCode.PASSED if found.is_same else ExitCode.FAILED


def _run(store: RunStore, name: str) -> ComparedRun:
    run = find(store, name)
    if run.is_running:
        hint = f"wait until it has ended; `runner show {run.id}` shows how far it is"
        raise UsageError(Problem(code="E156", message=f"run {run.id} is under way", hint=hint))
    if run.flaw is not None:
        output.problems(Problem(code="E155", message=run.damage, severity=Severity.WARNING))
    return ComparedRun(result=run.result, lines=run.lines)
