"""What the verbs share that carry runs out: under signals and locks, to an exit code and reports."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

import click

from runner.cli import locking, output, reports
from runner.cli.asking import answer_of
from runner.cli.prepared import RunSpec
from runner.cli.run_pool import Carried, PendingRun, PoolOptions, carry_all
from runner.cli.stopping import hearing, tell_of_code, tell_of_giving_up
from runner.cli.telling import RunConsole
from runner.foundation.problems import STOPPED, ExitCode, RefusedError, UsageError, strongest
from runner.hosts.stop import Stop, listening
from runner.project.sites import Sites
from runner.reports import mistakes
from runner.reports.formats import ReportedRun
from runner.targets.model import SiteTarget


def telling_of(
    context: click.Context, wanted_reports: reports.Places, *, side_by_side: bool = False, again: str = "resumed"
) -> RunConsole:
    """Where and how much the options of a command want to be told; `again`: what it does with a run of before."""
    given = context.params
    return RunConsole(
        out=output.Stream("stderr" if reports.STDOUT in wanted_reports.values() else "stdout"),
        quiet=given["quiet"],
        verbose=given["verbose"],
        side_by_side=side_by_side,
        held=given.get("hold", False),
        again=again,
    )


def carry_out(
    waiting: Sequence[PendingRun],
    telling: RunConsole,
    context: click.Context,
    *,
    yes: bool,
    until_ready: Callable[[Stop], bool],
) -> tuple[Carried, ExitCode]:
    """Carry runs out to the command's exit code; what did not begin is told. `yes` answers every question of a job;
    `until_ready` waits for the sites before the first begins, and gives whether one may.

    Raises `RefusedError` where another program has one of the locks. They are given back when all runs have ended.
    Signals are listened for until the command ends: a second one from outside must not cost the reports.
    """
    given = context.params
    stop, given_up, over = Stop(grace=given["grace"]), threading.Event(), threading.Event()
    manner = PoolOptions(
        stop=stop,
        given_up=given_up,
        ask=(lambda _question, _stop, _seconds: True) if yes else answer_of,
        started=telling.started,
        ended=telling.ended,
        look=telling.look,
        jobs=given.get("jobs", 1),
        fail_fast=given.get("fail_fast", False),
    )
    heard = hearing(given["grace"], begun=telling.has_begun, over=over.is_set)
    context.with_resource(listening(stop, given_up, heard=heard))
    context.with_resource(output.in_background(hurry=lambda: stop.why is not None))
    locks = partial(locking.held, given["runs"], wait=given.get("wait_lock"))
    carried = _carried_under_locks(waiting, manner, locks, until_ready=until_ready)
    over.set()
    if gave_up := given_up.is_set():
        tell_of_giving_up(stop, given["grace"])
    telling.close()
    return carried, _code(carried, stop, given_up=gave_up)


def _carried_under_locks(
    waiting: Sequence[PendingRun],
    manner: PoolOptions,
    locks: Callable[..., AbstractContextManager[None]],
    *,
    until_ready: Callable[[Stop], bool],
) -> Carried:
    """Carry the runs out under all the locks that they name. Where a signal ends the waiting for one, none begins.

    A lock that is taken is found out before sites are waited for.
    """
    claims = {one.lock: one.title for one in reversed(waiting) if one.lock is not None}
    try:
        with locks(claims, pause=lambda seconds: _still_waiting(manner.stop, seconds)):
            if until_ready(manner.stop):
                return carry_all(waiting, manner)
            return Carried(left_out=deque(waiting), is_unready=manner.stop.why is None)
    except RefusedError:
        if manner.stop.why is None:
            raise
        return Carried(left_out=deque(waiting))


def _still_waiting(stop: Stop, seconds: float) -> bool:
    """Wait for a lock that is taken, until a signal comes."""
    if stop.why is None:
        stop.wait(seconds)
    return stop.why is None


def waits_for(sites: Sites, runs: Sequence[RunSpec], context: click.Context) -> Callable[[Stop], bool]:
    """What waits until the sites of these runs are ready, as an option or a target says. Raises `UsageError`."""
    given = context.params
    is_asked_for = given["wait_ready"] is not None
    if not is_asked_for and not any(isinstance(run.target, SiteTarget) and run.target.ready for run in runs):
        return at_once
    from runner.cli.site_waits import Asked, SiteWaits  # noqa: PLC0415  3 % of a start, for whoever waits
    from runner.cli.until_ready import until_ready  # noqa: PLC0415  likewise

    asked = Asked(longest=given["wait_ready"], catalogue=given.get("catalogue"))
    return until_ready(SiteWaits(sites=sites, asked=asked).of_runs(runs), quiet=given["quiet"])


def at_once(stop: Stop) -> bool:
    """Waits for nothing."""
    del stop
    return True


def with_reports(wanted_reports: reports.Places, carried: Carried, code: ExitCode) -> ExitCode:
    """Write the reports; the code of a command whose reports are written, or cannot be."""
    runs = carried.runs
    try:
        reports.write(wanted_reports, [ReportedRun(result=run.result, lines=run.journal.lines) for run in runs])
    except UsageError as error:  # found out too late for exit 2, which says that nothing was sent
        output.say_lines(mistakes.text(error.problems))
        code = strongest([code, ExitCode.NO_ANSWER])
    tell_of_code(code, [run.result for run in runs])
    return code


def _code(carried: Carried, stop: Stop, *, given_up: bool) -> ExitCode:
    """The command's code: of what ran, of a run that could not begin, of a signal that let others not begin or end."""
    codes = [run.result.exit_code for run in carried.runs]
    if carried.trouble is not None:
        output.say_lines(mistakes.text(carried.trouble.problems))
        codes.append(ExitCode.NO_ANSWER)
    if carried.is_unready:
        codes.append(ExitCode.NO_ANSWER)
    if carried.left_out:
        output.say(f"not begun: {', '.join(one.title for one in carried.left_out)}")
    if stop.why is not None and (carried.left_out or given_up):
        codes.append(STOPPED[stop.why])
    return strongest(codes)
