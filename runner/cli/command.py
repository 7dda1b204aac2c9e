"""What `run`, `rerun`, `resume` and `apply` share: from the options to the runs, the reports and the exit code."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click
from msgspec.structs import replace

from runner.cli import reports
from runner.cli.verb import from_environment, long_name
from runner.execution.active_run import ActiveRun
from runner.execution.faults import fault_problem
from runner.execution.locks import HeldLock, hold_locks, lock_holder
from runner.execution.permission import Permission
from runner.execution.run_pool import Carried, PendingRun, PoolOptions, UntilReady, carry_all
from runner.execution.run_spec import GivenAnew, RunSpec, Wanted, given_inputs
from runner.execution.stored_reports import store_reports
from runner.foundation.durations import format_duration
from runner.foundation.problems import STOPPED, ExitCode, Problem, RefusedError, UsageError, strongest
from runner.foundation.sentences import MOST, first_few
from runner.hosts.stop import Stop, listening
from runner.job.model import Job
from runner.planning.guards import asks
from runner.project.sites import Sites
from runner.reports.console import lines
from runner.reports.next_steps import reconcile_together
from runner.reports.reported import ReportedCommand
from runner.reports.run_again import rerun_failed_steps, rerun_steps
from runner.reports.spans import timed
from runner.reports.summary import totals, what_next
from runner.runs.events import RunStatus
from runner.runs.store import Claim, LocalRunStore
from runner.targets.model import SiteTarget
from runner.terminal import asking, output
from runner.terminal.asking import answer_of
from runner.terminal.run_console import RunConsole


def wanted(context: click.Context) -> Wanted:
    """What the parameters of the command select, as they are typed; nothing is read."""
    given = context.params
    return Wanted(
        specs=given["specs"],
        targets=tuple(dict.fromkeys(given["target"])),
        targets_file=given["targets"],
        catalogue=given.get("catalogue"),
        waits_for_sites=given.get("wait_ready") is not None,
        given=given["given"],
        inputs_file=given["inputs_file"],
        tags=given["tags"],
        keywords=given["keywords"],
        last_failed=given["runs"] if given.get("last_failed") else None,
        confirmed=given.get("confirm", ()),
        recursive=given["recursive"],
        may_be_empty=given.get("allow_empty", False),
        changed_since=given.get("changed_since"),
        ask=asking.missing_inputs,
        from_environment=frozenset(map(long_name, from_environment(context))),
    )


def permission(context: click.Context) -> Permission:
    """What the options of a command permit, and whether somebody can be asked."""
    return Permission(
        yes=context.params["yes"],
        confirmed=frozenset(context.params["confirm"]),
        ask=asking.says_yes if asking.is_there() else None,
    )


def given_anew(context: click.Context) -> GivenAnew:
    """What the options of a command give anew to a stored run. Raises `UsageError` with every problem in it."""
    given = context.params
    inputs = given_inputs(given["given"], file=given["inputs_file"])
    return GivenAnew(inputs=inputs, targets=given["targets"], ask=asking.missing_inputs)


def console_of(
    context: click.Context,
    places: reports.ReportPlaces,
    *,
    jobs: Sequence[Job] = (),
    resumed: str = "resumed",
    apart: bool = False,
) -> RunConsole:
    """Where and how much is printed. `jobs` are of all runs that it begins. `apart`: stdout is for something else."""
    given = context.params
    return RunConsole(
        out=output.MessageStream("stderr" if apart or places.use_stdout else "stdout"),
        quiet=given["quiet"],
        verbose=given["verbose"],
        side_by_side=min(given.get("jobs", 1), len(jobs)) > 1,
        total=max(len(jobs), 1),
        asks=any(map(asks, jobs)),
        held=given.get("hold", False),
        resumed=resumed,
    )


def carry_out(
    pending: Sequence[PendingRun],
    console: RunConsole,
    context: click.Context,
    *,
    store: LocalRunStore,
    until_ready: UntilReady,
    ended: Callable[[ActiveRun], None] = lambda _run: None,
    stop: Stop | None = None,
) -> tuple[Carried, ExitCode]:
    """Carry runs out, and report what did not begin. Raises `RefusedError` where another program has a lock.

    `store` has the runs, and keeps the locks. `until_ready` waits for the sites. `ended` gets each run that has ended.
    Signals are listened for until the command ends: a second signal must not cost the reports.
    """
    given = context.params
    stop, over = stop or Stop(grace=given["grace"]), threading.Event()

    def on_signal(name: str) -> None:
        """Inside of the signal's handler, which waits for no reader."""
        output.say_at_signal(_signal_words(name, given["grace"], begun=console.has_begun(), over=over.is_set()))

    context.with_resource(listening(stop, heard=on_signal))
    context.with_resource(output.in_background(hurry=lambda: stop.why is not None))
    context.call_on_close(console.give_back)  # also where a fault of ours ends the command
    pool_options = _pool_options(context, console, store, stop, ended=ended)
    carried = _carried_under_locks(pending, pool_options, given, until_ready=until_ready)
    over.set()
    if gave_up := stop.given_up:
        why = f"the grace of {format_duration(given['grace'])} is over" if stop.is_over() else "interrupted again"
        output.say(f"{why}: ended here; calls in flight are not waited for, and `undo` and `finally` stop too")
    console.close()
    output.problems(*store.warnings())
    return carried, _code(carried, stop, given_up=gave_up)


def _pool_options(
    context: click.Context,
    console: RunConsole,
    store: LocalRunStore,
    stop: Stop,
    *,
    ended: Callable[[ActiveRun], None],
) -> PoolOptions:
    given = context.params
    yes = given.get("yes", False)

    def both_ended(run: ActiveRun) -> None:
        console.ended(run)
        ended(run)

    return PoolOptions(
        store=store,
        stop=stop,
        ask=(lambda _question, _stop, _seconds: True) if yes else answer_of,
        started=console.started,
        ended=both_ended,
        report=partial(_store_reports, store),
        broken=_broken,
        look=console.look,
        jobs=given.get("jobs", 1),
        fail_fast=given.get("fail_fast", False),
        says_yes=yes,
    )


def _store_reports(store: LocalRunStore, run: ActiveRun) -> None:
    reported = run.reported
    problems = store_reports(store, reported)
    if not problems:
        run.in_reports = reported.result
    output.problems(*problems)


def _broken(fault: BaseException, where: str) -> Problem:
    problem = fault_problem(fault, where=where)
    output.problems(problem)
    output.say("no further run begins; those that are under way come to their end")
    return problem


def _signal_words(name: str, grace: float, *, begun: bool, over: bool) -> str:
    if over:
        return f"{name}: all runs have ended; the reports are being written\n"
    if not begun:
        return f"{name}: no run has begun, and none will\n"
    ending = "a second Ctrl-C" if name == "SIGINT" else "a SIGINT (Ctrl-C)"
    return (
        f"{name}: no further step begins; a call in flight may still be answered; then `undo` and `finally`, "
        f"all within {format_duration(grace)}; {ending} ends it now\n"
    )


def _carried_under_locks(
    pending: Sequence[PendingRun], options: PoolOptions, given: Mapping[str, Any], *, until_ready: UntilReady
) -> Carried:
    """Take all locks of the runs, wait for the sites, empty the reports, and carry the runs out.

    After a signal no run begins.
    """
    stop = options.stop

    def pause(seconds: float) -> bool:
        if stop.why is None:
            stop.wait(seconds)
        return stop.why is None

    claims = {run.lock: run.title for run in reversed(pending) if run.lock is not None}
    try:
        with hold_locks(claims, options.store, wait=given.get("wait_lock"), pause=pause, say=output.say) as held:
            unready = until_ready(stop)
            if unready is None:
                reports.empty(given)
                return carry_all([_with_its_lock(run, held) for run in pending], options)
            return Carried(left_out=deque(pending), unready=unready)
    except RefusedError:
        if stop.why is None:
            raise
        return Carried(left_out=deque(pending))


def _with_its_lock(pending: PendingRun, held: Mapping[Claim, HeldLock]) -> PendingRun:
    """The run, which signs its lock as it begins, and has in its events how long that was waited for."""
    if pending.lock is None:
        return pending
    own = held[pending.lock]

    def begin() -> ActiveRun | None:
        run = pending.begin()
        if run is None:
            return None
        own.lock.sign(lock_holder(pending.title, run=run.facts.run))
        run.waits, own.waited = (*run.waits, *own.waited), ()
        return run

    return replace(pending, begin=begin)


def waits_for(sites: Sites, runs: Sequence[RunSpec], context: click.Context) -> UntilReady:
    """A wait for the sites of these runs, as an option or a target asks. Raises `UsageError`."""
    given = context.params
    is_asked_for = given["wait_ready"] is not None
    if not is_asked_for and not any(isinstance(run.target, SiteTarget) and run.target.ready for run in runs):
        return at_once
    from runner.cli.ready import SiteWaits, until_ready  # noqa: PLC0415  3 % of a start, for whoever waits

    waits = SiteWaits(sites=sites, longest=given["wait_ready"], catalogue=given.get("catalogue"))
    return until_ready(waits.for_runs(runs), quiet=given["quiet"])


def at_once(stop: Stop) -> None:
    del stop


def report(
    console: RunConsole,
    places: reports.ReportPlaces,
    carried: Carried,
    code: ExitCode,
    *,
    rest: ReportedCommand | None = None,
) -> ExitCode:
    """Print how the runs ended, and write reports; the command's code. `rest` is what else the command had begun."""
    of_runs = strongest(run.result.exit_code for run in carried.runs)
    print_totals(console, carried, is_all=of_runs is not ExitCode.PASSED or code is ExitCode.PASSED)
    _print_rerun(console, carried)
    runs, problems = [run.reported for run in carried.runs], [*not_begun(carried, code)]
    if rest is not None:
        runs = sorted([*rest.runs, *runs], key=lambda run: run.result.id)
        problems += rest.problems
    whole = code if rest is None else whole_code(code, rest)
    command = ReportedCommand(runs=runs, problems=problems, exit_code=whole)
    printed = strongest(result.exit_code for result in command.results) if whole is code else whole
    return publish(places, command, printed=printed)


def whole_code(code: ExitCode, rest: ReportedCommand) -> ExitCode:
    """The strongest of `code` and that of the `rest` of its command, which is printed where it is another."""
    whole = strongest([code, rest.exit_code])
    if whole is not code:
        output.say(f"exit {whole:d} is of the whole command: {rest.meaning}")
    return whole


def publish(places: reports.ReportPlaces, command: ReportedCommand, *, printed: ExitCode = ExitCode.PASSED) -> ExitCode:
    """Write the reports of a command that has ended; its code. What the code `printed` means is printed already."""
    code = command.exit_code
    try:
        reports.publish(places, command)
    except UsageError as error:  # found out too late for exit 2, which says that nothing was sent
        output.problems(*error.problems)
        code = strongest([code, ExitCode.NO_ANSWER])
    except Exception as fault:  # noqa: BLE001  the reports that are written hold more than the fault alone
        output.problems(fault_problem(fault, where=" while the reports were written"))
        code = ExitCode.FAULT
    _send_traces(command)
    if code not in (ExitCode.PASSED, printed):
        output.say(f"exit {code:d}: {replace(command, exit_code=code).meaning}")
    return code


def print_totals(console: RunConsole, carried: Carried, *, is_all: bool = True) -> None:
    """The last lines of a command of several runs. `is_all`: their exit code is that of the command."""
    if console.total > 1 and carried.runs:
        whole = totals([run.result for run in carried.runs], console.detail(), is_all=is_all)
        in_doubt = [run.result for run in carried.runs if run.result.status is RunStatus.UNKNOWN]
        if len(in_doubt) > 1:
            whole += what_next([reconcile_together(in_doubt)])
        console.out.write(lines(whole, encoding=console.out.encoding))


def _print_rerun(console: RunConsole, carried: Carried) -> None:
    """The command that carries out once more what did not pass, where nothing has to be settled first."""
    has_passed = all(run.result.status is RunStatus.PASSED for run in carried.runs)
    if has_passed and not (carried.runs and carried.left_out):
        return
    runs = [timed(run.journal.lines, result=run.result) for run in carried.runs]
    if len(runs) == 1 and not carried.left_out:
        steps = rerun_steps(runs[0])
    else:
        steps = rerun_failed_steps(runs, lacking=[run.place for run in carried.left_out])
    if steps:
        console.out.write(lines(what_next(steps), encoding=console.out.encoding))


def not_begun(carried: Carried, code: ExitCode) -> Iterator[Problem]:
    """Why runs did not begin or end."""
    yield from carried.faults
    if carried.trouble is not None:
        yield from carried.trouble.problems
    titles = ", ".join(run.title for run in carried.left_out)
    if carried.unready:
        yield from carried.unready
        yield Problem(code="E317", message=f"a site was not ready, so these runs did not begin: {titles}")
    elif titles and code in STOPPED.values():
        yield Problem(code="E312", message=f"a signal stopped the command before these runs began: {titles}")
    elif titles and carried.halted:
        yield Problem(code="E312", message=f"the command ended before these runs began: {titles}")


def _send_traces(command: ReportedCommand) -> None:
    """Where the environment names a collector of OpenTelemetry, and does not switch OpenTelemetry off."""
    given = os.environ
    is_off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get("OTEL_TRACES_EXPORTER") == "none"
    if is_off or not any(given.get(f"OTEL_EXPORTER_OTLP_{name}ENDPOINT") for name in ("", "TRACES_")):
        return
    from runner.reports.otlp_sending import send  # noqa: PLC0415  20 ms of a start, for whoever sends

    if warning := send(command):
        output.say(warning)


def _code(carried: Carried, stop: Stop, *, given_up: bool) -> ExitCode:
    """The command's exit code: the strongest of its runs, of runs that could not begin, and of a signal."""
    codes = [run.result.exit_code for run in carried.runs]
    if carried.trouble is not None:
        output.problems(*carried.trouble.problems)
    if carried.trouble is not None or carried.unready:
        codes.append(ExitCode.NO_ANSWER)
    if carried.faults:
        codes.append(ExitCode.FAULT)
    if carried.left_out:
        output.say(f"not begun: {first_few([run.title for run in carried.left_out], MOST)}")
    if stop.why is not None and (carried.left_out or given_up):
        codes.append(STOPPED[stop.why])
    return strongest(codes)
