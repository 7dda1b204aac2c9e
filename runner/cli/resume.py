"""`runner resume`: goes on with a run that broke off, or that somebody can settle by now."""

import click

from runner.cli import options, permission, reports, resuming, verdicts
from runner.cli.verb import Verb
from runner.hosts.judgement import Judgement
from runner.reports.words import doubtful


@click.command("resume", cls=Verb)
@options.RUN
@options.STEP
@options.AS
@options.EVEN_THOUGH
@options.RESULT
@options.HOLD
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.YES
@options.CONFIRM
@options.WAIT_LOCK
@options.WAIT_READY
@options.GRACE
@options.RUNS
@options.QUIET
@options.VERBOSE
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Go on with RUN where it broke off: `last`, a run's id, or a unique beginning of it.

    What was answered is not sent again. A call that must not happen twice, and that nobody has answered, is looked for
    in the process log; where that does not tell, a person's verdict does. Once the run's steps are over, only what is
    in doubt is settled, and `undo` and `finally` are finished.

    \b
    Examples:
      runner resume last
      runner resume 0194d2a0 --step charge --as passed
      runner resume 0194d2a0 --step charge --as passed --result '{"Score": 12}'
      runner resume 0194d2a0 --step charge --as retry

    The job is the one with which the run began, whatever its files say by now. Secrets and credentials come anew.
    Exit codes are those of `runner run`; of a run that has ended, the run's own, and nothing is sent.
    """
    wanted_reports = reports.asked_for(context)
    reports.check(wanted_reports, read=reports.read_by(context))
    allowed = permission.given(context)
    run, began = resuming.found(context)
    said = verdicts.given(context, run.result)
    if run.result.finished and not doubtful(run.result.steps):
        return resuming.over(run, wanted_reports, said="nothing is left to do")
    one = resuming.ready(context, run, began)
    verdicts.check_results(said, one.prepared.job)
    permission.check([one.prepared], allowed, over=run.result.finished)
    judgement = Judgement(verdicts=said, hold=context.params["hold"], look_again=True)
    return resuming.go_on(context, one, wanted_reports, judgement, locked=True, yes=allowed.yes, waits=True)
