"""`runner reconcile`: asks the process log again about calls in doubt, and does nothing else."""

import click

from runner.cli import options, reports, resuming
from runner.cli.verb import Verb
from runner.hosts.judgement import Judgement
from runner.reports.words import doubtful


@click.command("reconcile", cls=Verb)
@options.RUN
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.option(
    "--grace",
    metavar="DURATION",
    type=options.Duration(),
    default="30s",
    show_default=True,
    help="What a signal leaves the reading that is under way.",
)
@options.RUNS
@options.QUIET
@options.VERBOSE
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Ask the process log about the calls of RUN that may or may not have happened: `last`, a run's id, or a unique
    beginning of it.

    Nothing is started and no step is carried out: the log is read, and what it proves is written down.

    \b
    Examples:
      runner reconcile last
      runner reconcile 0194d2a0 --report-junit junit.xml

    Exits with the code of the run as it stands then: 4 as long as something is in doubt.
    """
    wanted_reports = reports.asked_for(context)
    reports.check(wanted_reports, read=reports.read_by(context))
    run, began = resuming.found(context)
    if not doubtful(run.result.steps):
        return resuming.over(run, wanted_reports, said="nothing is in doubt")
    one = resuming.ready(context, run, began)
    judgement = Judgement(look_again=True, only_settle=True)
    return resuming.go_on(context, one, wanted_reports, judgement, locked=False, yes=False)
