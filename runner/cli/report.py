"""`runner report`: writes reports of a run again, from its events alone."""

import click

from runner.cli import options, output, reports
from runner.cli.kept import edited, opened
from runner.cli.verb import Verb
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.sentences import either
from runner.reports import mistakes
from runner.reports.formats import FORMATS, ReportedRun
from runner.runs import run_folders


@click.command("report", cls=Verb)
@options.RUN
@options.RUNS
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Write reports of RUN again: `last`, a run's id, or a unique beginning of it.

    \b
    Examples:
      runner report last --report-junit junit.xml
      runner report last --report-json - | jq .status

    Exits with the code of the run.
    """
    wanted_reports = reports.asked_for(context)
    if not wanted_reports:
        hint = f"add {either([one.option for one in FORMATS])} with a FILE, or `-` for stdout"
        raise UsageError(Problem(code="E150", message="no report was asked for", hint=hint))
    reports.check(wanted_reports)
    run = opened(run_folders.find(context.params["runs"], context.params["run"]))
    if run.flaw is not None:
        warning = Problem(code="E155", message=edited(run), severity=Severity.WARNING)
        output.say_lines(mistakes.text([warning]))
    reports.write(wanted_reports, [ReportedRun(result=run.result, lines=run.lines)])
    return run.result.exit_code
