"""`runner report`: draws reports of a run again, from its events alone."""

import click

from runner.cli import options, output, reports
from runner.cli.kept import edited, opened
from runner.cli.verb import Verb
from runner.foundation.problems import Problem, Severity, UsageError
from runner.reports import mistakes
from runner.runs import run_folders


@click.command("report", cls=Verb, short_help="Draw any report of a run again.")
@options.RUN
@options.RUNS
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Draw reports of RUN again: `last`, a run's id, or a unique beginning of it.

    \b
    Examples:
      runner report last --report-junit junit.xml
      runner report last --report-json - | jq .status

    Exits with the code of the run.
    """
    wishes = reports.wishes(context)
    if wishes == reports.Wishes():
        hint = "add --report-json, --report-junit or --report-jsonl with a FILE, or `-` for stdout"
        raise UsageError(Problem(code="E150", message="no report was asked for", hint=hint))
    reports.check_places(wishes)
    run = opened(run_folders.find(context.params["runs"], context.params["run"]))
    if run.flaw is not None:
        warning = Problem(code="E155", message=edited(run), severity=Severity.WARNING)
        output.say_lines(mistakes.text([warning]))
    reports.write(wishes, [run.result], [run.lines])
    return run.result.exit_code
