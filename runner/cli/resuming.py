"""What `resume` and `reconcile` share: a kept run found, made ready, carried on, and its reports written."""

import os
from functools import partial

import click

from runner.cli import inputs, output, reports, resume_run
from runner.cli.beginning import Run
from runner.cli.command import at_once, carry_out, telling_of, waits_for, with_reports
from runner.cli.kept import StoredRun, opened
from runner.cli.locking import claim_of
from runner.cli.resume_run import GoingOn
from runner.cli.run_pool import PendingRun
from runner.cli.serving import Sandboxes
from runner.foundation.problems import ExitCode, Problem
from runner.hosts.judgement import Judgement
from runner.project.sites import ReadySite, Sites
from runner.reading.files import read_text
from runner.reports import mistakes
from runner.reports.formats import ReportedRun
from runner.reports.looked import looked_again
from runner.reports.safe import clean
from runner.reports.words import doubtful, title
from runner.runs import run_folders
from runner.runs.events import RunStarted, Section, Status
from runner.runs.result import StepResult
from runner.secrets.redact import Secrets


def found(context: click.Context) -> tuple[StoredRun, RunStarted]:
    """The run that the command names, where it can be gone on with."""
    run = opened(run_folders.find(context.params["runs"], context.params["run"]))
    return run, resume_run.check(run)


def ready(context: click.Context, run: StoredRun, began: RunStarted) -> GoingOn:
    """The run's plan, opened again."""
    given = inputs.given(context.params["given"], file=context.params["inputs_file"])
    return resume_run.opened(run, began, given=given, targets=context.params["targets"])


def go_on(
    context: click.Context,
    one: GoingOn,
    wanted_reports: reports.Places,
    judgement: Judgement,
    *,
    locked: bool,
    yes: bool,
    waits: bool = False,
) -> ExitCode:
    """Carry the run on. `locked`: under the lock that its job names; `waits`: not before its site is ready, if the
    target or an option says so.
    """
    telling = telling_of(context, wanted_reports, again="reconciled" if judgement.only_settle else "resumed")
    sandboxes = Sandboxes(context.params["runs"], again=one.began.target.url)
    with Sites(serve=sandboxes.serve, learn=sandboxes.learn, environment=os.environ, read_file=read_text) as sites:
        site = sites.of(one.prepared.target)
        begin = partial(_gone_on, one, sites, judgement)
        lock = claim_of(one.prepared.job, one.prepared.target, site) if locked else None
        waiting = PendingRun(title=one.prepared.title, lock=lock, begin=begin)
        until_ready = waits_for(sites, [one.prepared], context) if waits else at_once
        carried, code = carry_out([waiting], telling, context, yes=yes, until_ready=until_ready)
    for run in carried.runs:
        _tell_of_unused_verdicts(run)
        _tell_of_readings(run)
    return with_reports(wanted_reports, carried, code)


def _lets_in(site: ReadySite, one: GoingOn) -> bool:
    """Sign in before anything is carried out: else `undo` and `finally` would be given up for a mistyped password."""
    failure = site.client.sign_in(one.plan.attempt)
    if failure is None:
        return True
    secrets = Secrets()
    site.hide_in(secrets)
    trouble = failure.trouble
    hint = "; ".join(part for part in (trouble.hint, "the run is as it was: resume it again") if part)
    told = Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=secrets.mask(hint))
    output.say_lines(mistakes.text([told]))
    return False


def _gone_on(one: GoingOn, sites: Sites, judgement: Judgement) -> Run:
    """The run, with its journal open for more. That its files have changed is told when nothing is in the way."""
    run = resume_run.gone_on(one, sites, judgement)
    if not (one.kept.result.finished or judgement.only_settle):
        run.lets_in = partial(_lets_in, run.site, one)
    changed = resume_run.changed_files(one.plan.plan)
    if changed is not None:
        output.say(changed)
    return run


def over(run: StoredRun, wanted_reports: reports.Places, *, said: str) -> ExitCode:
    """Nothing is left to do: the reports are drawn, and the run's code is the command's."""
    output.say(f"{said} of {title(run.result)} ({clean(run.result.id)}): nothing was sent")
    rest = [clean(step.key) for step in run.result.steps if step.section is not Section.STEPS and not _is_fine(step)]
    if rest:
        output.say(f"what did not pass of `undo` and `finally` is up to a person: {', '.join(rest)}")
    reported = ReportedRun(result=run.result, lines=run.lines)
    reports.store(run.folder, reported)  # whoever ended the run may have been killed before they were written
    reports.write(wanted_reports, [reported])
    return run.result.exit_code


def _is_fine(step: StepResult) -> bool:
    return step.status is Status.PASSED or (step.status is Status.SKIPPED and step.reason != "stopped")


def _tell_of_unused_verdicts(run: Run) -> None:
    """The process log, or a signal, was there before a person's word."""
    statuses = {step.key: step.status for step in run.result.steps}
    for key in run.unused_verdicts:
        output.say(f"the verdict on `{key}` was not used: it is {statuses.get(key, 'not reached')}")


def _tell_of_readings(run: Run) -> None:
    """What the process log said now of what is in doubt still: the rows tell what was found out first."""
    in_doubt = [step.key for step in doubtful(run.result.steps)]
    for sentence in looked_again(run.journal.lines, in_doubt, since=len(run.earlier)):
        output.say(sentence)
