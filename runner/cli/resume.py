"""Verbs for a stored run: `runner resume` goes on with it, `runner reconcile` only settles what is in doubt."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import replace

from runner.cli import hints, options, reports
from runner.cli.command import at_once, carry_out, console_of, given_anew, permission, report, waits_for, whole_code
from runner.cli.nearby import local_run
from runner.cli.verb import Verb, refuse_beside_db, typed_names
from runner.execution import resume_run
from runner.execution.active_run import ActiveRun
from runner.execution.locks import claim_of
from runner.execution.permission import Permission, check_permission
from runner.execution.planned_runs import lacking_problem, lacking_steps, never_begun
from runner.execution.resume_run import ResumableRun
from runner.execution.run_pool import PendingRun
from runner.execution.stored_reports import store_reports
from runner.execution.verdicts import check_results, checked_verdicts
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError, strongest
from runner.foundation.sentences import first_few
from runner.foundation.values import JsonObject
from runner.hosts.judgement import Judgement
from runner.planning import guards
from runner.project.ci_run import person_elsewhere
from runner.project.sites import ReadySite, Sandboxes, Sites
from runner.reports.next_steps import next_steps, sites_of, verb_command
from runner.reports.reported import ReportedCommand, ReportedRun, alone
from runner.reports.rereadings import read_again
from runner.reports.run_again import rerun_steps
from runner.reports.safe import clean
from runner.reports.spans import timed
from runner.reports.words import MOST_KEYS, doubtful, not_cleaned_up, run_title
from runner.runs import StoreName
from runner.runs.events import Asked, StepFinished, StepSkipped
from runner.runs.store import LocalRunStore, Part
from runner.runs.stored_runs import StoredRun, find, runs_of_command, was_queued
from runner.secrets.redact import Secrets
from runner.terminal import output

if TYPE_CHECKING:
    from runner.fleet.store import FleetStore

_FOR_A_FLEET: Final = ("run", "runs", "database", "step", "verdict", "even_though", "result", "quiet", "verbose")
"""Parameters that say something to a fleet; what a worker decides is not among them."""

_MOST_OTHERS: Final = 3  # other runs of a command that are named: the newest

_STEP = options.typed_option(
    "--step", metavar="KEY", type=options.Filled(), help="The step in doubt that a verdict is given on."
)
_AS = options.typed_option(
    "--as",
    "verdict",
    type=hints.OneWord(["passed", "failed", "retry"]),
    help="The verdict of a person who has checked the site; `retry` sends the call again, unless the process log now "
    "shows a start that may be this call.",
)
_EVEN_THOUGH = options.typed_option(
    "--even-though", is_flag=True, help="With `--as retry`: send it again although the log shows such a start."
)
_RESULT = options.typed_option(
    "--result", metavar="JSON", help="The result of a step that passed; @FILE: the file holds it."
)


_TOGETHER = options.option(
    "--together", is_flag=True, help="Go on with all runs of its command that broke off, as after a kill of `run -j`."
)


@click.command("resume", cls=Verb)
@options.RUN
@_STEP
@_AS
@_EVEN_THOUGH
@_RESULT
@_TOGETHER
@options.JOBS
@options.STORED_RUN
@options.DB
def resume(context: click.Context) -> int:
    r"""Go on with RUN where it broke off: `last`, a run's id, or a unique prefix of it.

    What was answered is not sent again. A call that must not happen twice, and that nobody has answered, is looked for
    in the process log; where that shows nothing, a person's verdict does. Once the run's steps are over, only what is
    in doubt is settled, and `undo` and `finally` are finished. A run that ended in doubt, and has failed as it is known
    then, is undone.

    \b
    Examples:
      runner resume last
      runner resume 0194d2a0 --step charge --as passed
      runner resume 0194d2a0 --step charge --as passed --result '{"Score": 12}'
      runner resume 0194d2a0 --step charge --as retry
      runner resume last --together -j 8 --hold

    With --db it is ordered of the workers of a fleet, which have the secrets: a worker that serves the target does it.

    The job is that with which the run began, whatever its files say by now. Secrets and credentials come anew.
    Exit codes are those of `runner run`; of a run that has ended, and owes no undo, the run's own: nothing is sent.
    With --together it is the strongest of all runs of the command, also of those that had ended.
    """
    if context.params["runs"] is context.params["database"]:
        return _order(context, only_settle=False)
    places = reports.asked_for(context)
    allowed = permission(context)
    store, run = local_run(context)
    if context.params["together"]:
        _check_together(context)
        judgement = Judgement(hold=context.params["hold"], look_again=True)
        broken_off = _broken_off(runs_of_command(run))
        return _all_of_command(context, run, places, store=store, runs=broken_off, judgement=judgement, allowed=allowed)
    began = resume_run.check(run)
    _refuse_a_copy(run)
    verdicts = _verdicts(context, run)
    if run.result.finished and not doubtful(run.result.steps):
        return _over(store, run, places, why="nothing is left to do")
    resumable = resume_run.load_plan(run, began, given_anew(context))
    check_results(verdicts, resumable.spec.job, run.result)
    check_permission([resumable.spec], allowed, asking=_questions_left(resumable))
    judgement = Judgement(verdicts=verdicts, hold=context.params["hold"], look_again=True)
    return _carry_on(context, store, [resumable], places, judgement=judgement)


def _check_together(context: click.Context) -> None:
    single_run = {"step": "--step", "verdict": "--as", "result": "--result", "even_though": "--even-though"}
    if wrong := next((option for name, option in single_run.items() if context.params[name]), None):
        message = f"`{wrong}` is about one run, and `--together` goes on with several"
        raise UsageError(Problem(code="E150", message=message, hint="leave one of the two out"))


def _all_of_command(
    context: click.Context,
    run: StoredRun,
    places: reports.ReportPlaces,
    *,
    store: LocalRunStore,
    runs: Sequence[StoredRun],
    judgement: Judgement,
    allowed: Permission | None = None,
) -> ExitCode:
    """Carry on with `runs`, which are of the command of `run`; `allowed` is None where they are only settled."""
    rest = _rest_of_command(run, besides=runs)
    if not runs:
        which = "is in doubt" if allowed is None else "has broken off"
        code = _over(store, run, places, why=f"no run of the same command {which}; nothing is left to do", whole=rest)
        return whole_code(code, rest)
    names = frozenset(name for each in runs for name in each.result.inputs)
    anew = replace(given_anew(context), others=names)
    began = [resume_run.check(each) for each in runs]
    found, problems = resume_run.each_of(runs, began, anew, load=resume_run.load_plan)
    if problems:
        raise UsageError(*dict.fromkeys(problems))
    if allowed is not None:
        asking = [problem for each in found for problem in _questions_left(each)]
        check_permission([each.spec for each in found], allowed, asking=asking)
    return _carry_on(context, store, found, places, judgement=judgement, rest=rest)


def _rest_of_command(run: StoredRun, *, besides: Sequence[StoredRun]) -> ReportedCommand:
    """All runs of the command of `run`, `besides` others, and what it never began: else reports would look green."""
    others = {each.id for each in besides}
    runs = [ReportedRun(result=each.result, lines=each.lines) for each in runs_of_command(run) if each.id not in others]
    problems = lacking_problem(never_begun(run), run.result)
    codes = [ExitCode.PASSED, *(each.result.exit_code for each in runs), *([ExitCode.NO_ANSWER] if problems else [])]
    return ReportedCommand(runs=runs, problems=problems, exit_code=strongest(codes))


def _broken_off(runs: Iterable[StoredRun]) -> list[StoredRun]:
    return [each for each in runs if not (each.result.finished or each.is_running)]


@click.command("reconcile", cls=Verb)
@options.RUN
@options.option("--together", is_flag=True, help="Ask about all runs of its command that are in doubt.")
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.grace("What a signal leaves the reading that is under way.")
@options.RUNS
@options.DB
@options.QUIET
@options.VERBOSE
@options.reports
def reconcile(context: click.Context) -> int:
    r"""Ask the process log about the calls of RUN that may or may not have happened: `last`, a run's id, or a unique
    prefix of it.

    Nothing is started and no step is carried out: the log is read, and what it proves is written down.

    \b
    Examples:
      runner reconcile last
      runner reconcile 0194d2a0 --report-junit junit.xml

    Exits with the code of the run as it is then: 4 as long as something is in doubt.
    """
    if context.params["runs"] is context.params["database"]:
        return _order(context, only_settle=True)
    places = reports.asked_for(context)
    store, run = local_run(context)
    began = resume_run.check(run)
    _refuse_a_copy(run)
    if context.params["together"]:
        in_doubt = [each for each in runs_of_command(run) if doubtful(each.result.steps) and not each.is_running]
        judgement = Judgement(look_again=True, only_settle=True)
        return _all_of_command(context, run, places, store=store, runs=in_doubt, judgement=judgement)
    if not doubtful(run.result.steps):
        return _over(store, run, places, why="nothing is in doubt")
    resumable = resume_run.load_plan(run, began, given_anew(context))
    return _carry_on(context, store, [resumable], places, judgement=Judgement(look_again=True, only_settle=True))


def _refuse_a_copy(run: StoredRun) -> None:
    """Raise `RefusedError` for a pulled run in doubt: its fleet would not learn what is done, and would repeat it."""
    if was_queued(run) and doubtful(run.result.steps):
        message = f"run {run.id} of {run_title(run.result)} is of a fleet, which would not learn what is settled here"
        steps = next_steps(replace(run.result, store=StoreName("URL", is_fleet=True)))
        hint = f"nothing was sent; `{steps[0].command}` {steps[0].does}"
        raise RefusedError(Problem(code="E156", message=message, hint=hint))


def _order(context: click.Context, *, only_settle: bool) -> ExitCode:
    """Order it of a fleet, or raise `UsageError` or `RefusedError` where that makes no sense. Exit 0: it is ordered."""
    from runner.fleet import orders  # noqa: PLC0415  9 ms, for whoever names a database

    store: FleetStore = context.params["database"]
    run = find(store, context.params["run"])
    resume_run.check(run)
    wrong = (name for name in typed_names(context) if name not in _FOR_A_FLEET)
    hint = "leave it out: the worker has secrets and targets; `runner report RUN` with `--db` writes reports"
    refuse_beside_db(context, wrong, because="a worker carries the run on", hint=hint)
    verdicts = {} if only_settle else _verdicts(context, run)
    if run.result.finished and not doubtful(run.result.steps):
        output.say(f"nothing is left to do of {run_title(run.result)} ({run.id}): nothing was ordered")
        return run.result.exit_code
    if any("result" in verdict for verdict in verdicts.values()):
        _refuse_secret(run, next(iter(verdicts)))
    if verdicts and (job := resume_run.job_of(run)) is not None:
        check_results(verdicts, job, run.result)
    kind = orders.OrderKind.RECONCILE if only_settle else orders.OrderKind.RESUME
    if not orders.order(store.link, run.id, kind=kind, verdicts=verdicts, by=person_elsewhere(os.environ)):
        message = f"run {run.id} is under way: a worker has it, or will have it soon"
        hint = f"nothing was ordered; `{verb_command('status', run.id, store.name)}` shows it"
        raise RefusedError(Problem(code="E156", message=message, hint=hint))
    target = clean(run.result.target.name)
    output.say(
        f"ordered: a worker of `{target}` does it; `{verb_command('show', run.id, store.name)}` shows what came of it"
    )
    return ExitCode.PASSED


def _refuse_secret(run: StoredRun, key: str) -> None:
    """A result that must not be stored goes through no database. Nobody reads the job here: the word is enough."""
    if b"secret" not in run.store.get(run.id, Part.PLAN).replace(b'"fingerprints"', b""):
        return
    message = f"the result of `{clean(key)}` may be secret: a step of this job is marked `secret`"
    hint = "an order is stored in the database; say `--as passed` without a result, or `--as failed`"
    raise UsageError(Problem(code="E158", message=message, hint=hint))


def _verdicts(context: click.Context, run: StoredRun) -> dict[str, JsonObject]:
    """The verdict of the command line. Raises `UsageError` for a verdict that cannot be given on this run."""
    given = context.params
    is_even_though = given["even_though"]
    return checked_verdicts(run.result, given["step"], given["verdict"], given["result"], even_though=is_even_though)


def _carry_on(
    context: click.Context,
    store: LocalRunStore,
    runs: Sequence[ResumableRun],
    places: reports.ReportPlaces,
    *,
    judgement: Judgement,
    rest: ReportedCommand | None = None,
) -> ExitCode:
    """Carry the runs on, or only settle them, without locks and waits. Reports hold the `rest` of the command."""
    settles = judgement.only_settle
    jobs = [run.spec.job for run in runs]
    console = console_of(context, places, jobs=jobs, resumed="reconciled" if settles else "resumed")
    sandboxes = Sandboxes(store, resumed=next((run.began.target.url for run in runs if run.began.target.sandbox), None))
    with Sites(serve=sandboxes.serve, learn=sandboxes.learn) as sites:
        pending = [
            PendingRun(
                title=run.spec.title,
                lock=None if settles else claim_of(run.spec, sites),
                begin=partial(resumed_run, run, sites, judgement),
            )
            for run in runs
        ]
        until_ready = at_once if settles else waits_for(sites, [run.spec for run in runs], context)
        carried, code = carry_out(pending, console, context, store=store, until_ready=until_ready)
    for resumed in carried.runs:
        _say_unused_verdicts(resumed)
        in_doubt = [step.key for step in doubtful(resumed.result.steps)]
        for sentence in read_again(resumed.journal.lines, in_doubt, since=len(resumed.earlier)):
            output.say(sentence)
    code = report(console, places, carried, code, rest=rest)
    _say_rest_of_command(runs[0].stored)
    return code


def _say_rest_of_command(run: StoredRun) -> None:
    """The verdict is the run's own; what else its command began, and was to begin, must not be forgotten."""
    broken_off = _broken_off(each for each in runs_of_command(run) if each.id != run.id)
    for each in broken_off[-_MOST_OTHERS:]:
        for step in next_steps(each.result)[:1]:
            output.say(f"{run_title(each.result)} of the same command has not ended: `{step.command}` {step.does}")
    if len(broken_off) > 1:
        command = f"{verb_command('resume', broken_off[-1].id, run.store.name)} --together{sites_of(run.result)} --hold"
        output.say(f"`{command}` goes on with the {len(broken_off)} runs of the same command that broke off")
    for step in lacking_steps(never_begun(run), run.result):
        output.say(f"`{step.command}` {step.does}")


def resumed_run(run: ResumableRun, sites: Sites, judgement: Judgement) -> ActiveRun:
    """The run, with its journal open for more. That its files have changed is reported when nothing is in the way."""
    resumed = resume_run.resume(run, sites, judgement)
    if not judgement.only_settle and (not run.stored.result.finished or _has_undo(run)):
        resumed.lets_in = partial(_lets_in, resumed.site, run)
    changed = resume_run.changed_files(run.snapshot.plan)
    if changed is not None:
        output.say(f"changed since the run began: {changed}; the run goes on with what it began with")
    return resumed


def _has_undo(run: ResumableRun) -> bool:
    """Whether a run that has ended may send something when its last doubt is settled."""
    return any(step.undo is not None for step in run.spec.job.steps)


def _questions_left(run: ResumableRun) -> tuple[Problem, ...]:
    """A problem for each question of a step that has no answer. Nobody knows the number of turns of a loop."""
    result, events = run.stored.result, [line.event for line in run.stored.lines]
    over = {event.key for event in events if isinstance(event, Asked | StepFinished)}
    over |= {event.row.key for event in events if isinstance(event, StepSkipped)}
    return () if result.finished and not _has_undo(run) else guards.unanswerable([run.spec.job], over=over)


def _lets_in(site: ReadySite, run: ResumableRun) -> bool:
    """Sign in before anything is carried out: else `undo` and `finally` would be given up for a mistyped password."""
    failure = site.client.sign_in(run.snapshot.times.timeout)
    if failure is None:
        return True
    secrets, trouble = site.hide_in(Secrets()), failure.trouble
    hint = "; ".join(part for part in (trouble.hint, "the run is as it was: resume it again") if part)
    output.problems(Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=secrets.mask(hint)))
    return False


def _over(
    store: LocalRunStore,
    run: StoredRun,
    places: reports.ReportPlaces,
    *,
    why: str,
    whole: ReportedCommand | None = None,
) -> ExitCode:
    """Nothing is left to do: the reports are drawn, of the run or of its `whole` command; the run's code."""
    ended = f", which ended `{run.result.status}`" if run.result.finished else ""
    output.say(f"{why} of {run_title(run.result)} ({clean(run.result.id)}){ended}: nothing was sent")
    if rest := not_cleaned_up(run.result):
        output.say(f"what did not pass of `undo` and `finally` is up to a person: {first_few(rest, MOST_KEYS)}")
    reported = ReportedRun(result=run.result, lines=run.lines)
    if run.result.finished:  # whoever ended it may have been killed before they were written
        output.problems(*store_reports(store, reported))
    reports.publish(places, whole or alone(reported))
    _say_rest_of_command(run)
    for step in rerun_steps(timed(run.lines, result=run.result))[-1:]:
        output.say(f"`{step.command}` {step.does}")
    return run.result.exit_code


def _say_unused_verdicts(run: ActiveRun) -> None:
    """The process log, or a signal, was there before a person's word."""
    statuses = {step.key: step.status for step in run.result.steps}
    for key in run.unused_verdicts:
        output.say(f"the verdict on `{key}` was not used: it is {statuses.get(key, 'not reached')}")
