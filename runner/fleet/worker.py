"""A worker of a fleet: Procrastinate fetches items and keeps the heartbeat; each run is carried out in a thread.

Where Procrastinate ends its worker, as in an outage, the items lose their heartbeat: so the runs are left at their next
effect, and all begins again.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import procrastinate
from procrastinate.worker import Worker

from runner.fleet import database, orders, queue, store
from runner.fleet.database import Link, NoDatabaseError
from runner.fleet.leaving import Later, Left, ParkedError
from runner.fleet.library_messages import library_messages
from runner.fleet.queue import RegisteredWorker
from runner.fleet.suspended import SuspendedTargets
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import listed, plural
from runner.reports.safe import clean
from runner.runs.evidence import Person
from runner.runs.store import FencedError, StoreError

FENCED: Final = 75  # the exit code of a worker whose runs were taken over: EX_TEMPFAIL, start it again
BEAT = 5.0  # seconds between two heartbeats
DEAD = 30.0  # seconds without a heartbeat after which a worker's runs go to others
PATIENCE = 60.0  # seconds for which an outage of the database is waited for
_LOOK: Final = 1.0
_LONGEST_PAUSE: Final = 30.0  # seconds after which a queue that breaks off again and again is begun again, at most


class RunsUnderWay(Protocol):
    """What carries runs out: `drain` gives them back, and `undrain` lets runs be carried out again."""

    def carry(self, run: str) -> Left: ...

    def running(self) -> Sequence[str]: ...

    def stop(self, run: str, person: Person) -> None: ...

    def drain(self) -> None: ...

    def undrain(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class FleetWorkerLoop:
    """Fetches and carries out runs. Of `suspended` targets it fetches only, for a moment, a run that is to stop."""

    dsn: str
    name: str
    targets: Sequence[str]
    replay: int
    jobs: int
    grace: float
    runs: RunsUnderWay
    say: Callable[[str], None]
    suspended: SuspendedTargets
    once: bool = False
    alive: Path | None = None
    _link: Link = field(init=False)
    _ended: bool = False
    _worker: Worker | None = None
    _queues: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    _stopped: set[str] = field(default_factory=set)  # the runs for which it did
    _opened_until: dict[str, float] = field(default_factory=dict)  # when that ends for a target
    _quiet_until: float = 0.0
    _last_look: float = 0.0
    _next_sweep: float = 0.0
    _signalled: asyncio.Event = field(default_factory=asyncio.Event)
    _breaks: int = 0
    _broken_since: float = 0.0
    _is_alive_written: bool = True

    def __post_init__(self) -> None:
        self._link = Link(self.dsn)

    def work(self) -> int:
        """Work until a signal comes, or with `once` until the queue is empty; the exit code. Raises `UsageError`."""
        self._check_alive()
        try:
            with library_messages(self.say):
                return asyncio.run(self._work())
        finally:
            self._link.close()

    def _check_alive(self) -> None:
        try:
            if self.alive is not None:
                self.alive.touch()
        except OSError as error:
            message = f"{self._unwritten(error)}; probes would take this worker for dead"
            hint = "name a file with `--alive` that this user may write, in a folder that exists"
            raise UsageError(Problem(code="E153", message=message, hint=hint)) from error

    def _touch_alive(self) -> None:
        """A disk that is full ends neither the runs nor the care for others; the probe ends this worker."""
        if self.alive is None:
            return
        try:
            self.alive.touch()
            self._is_alive_written = True
        except OSError as error:
            if self._is_alive_written:
                self.say(self._unwritten(error))
            self._is_alive_written = False

    def _unwritten(self, error: OSError) -> str:
        return f"the file {clean(str(self.alive))} cannot be written: {error.strerror or error}"

    async def _work(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, signal.Signals(number).name)
        if await self._until_reached(self._find_queues) is None:
            return ExitCode.NO_ANSWER
        app = self._app(ThreadPoolExecutor(self.jobs + 1, thread_name_prefix="run"))
        looking = asyncio.create_task(self._look_after())
        self.say(f"worker {self.name} takes runs of {', '.join(self.targets)}")
        try:
            while not self._ended:
                if await self._until_reached(lambda: queue.seconds_up(self._link)) is None:
                    return ExitCode.NO_ANSWER
                async with self._opened(app):
                    cause = await self._fetch(app)
                code = await self._begin_again(cause) if cause is not None else await self._once_over()
                if code is not None:
                    return code
                self.runs.undrain()
        finally:
            looking.cancel()
        return ExitCode.PASSED

    async def _once_over(self) -> ExitCode | None:
        """With `once` the exit code when nothing is left to fetch, nor held by a worker that may be dead."""
        began, is_announced = time.monotonic(), False
        while self.once and not self._ended:
            waited = time.monotonic() - began
            if self.suspended.waiting():
                return await self._left_over()
            fetchable = await self._until_reached(lambda: queue.waiting(self._link, self._fetched()))
            unheard = partial(queue.unheard, self._link, self.targets, replay=self.replay, seconds=waited)
            silent = None if fetchable is None else await self._until_reached(unheard)
            if fetchable is None or silent is None:
                return ExitCode.NO_ANSWER
            if fetchable:
                return None
            if not silent:
                return ExitCode.PASSED
            if waited > 3 * DEAD:
                self.say(f"{plural(len(silent), 'run')} still open: the worker is silent, and nobody could take over")
                return ExitCode.NO_ANSWER
            if waited > 2 * BEAT and not is_announced:
                self.say(f"the worker of {plural(len(silent), 'run')} is silent: they are taken over after {DEAD:g} s")
                is_announced = True
            await asyncio.sleep(_LOOK)
        return None

    async def _left_over(self) -> ExitCode | None:
        """With `once` the exit code when runs of other targets are not left either."""
        if await self._until_reached(lambda: queue.waiting(self._link, self._fetched())):
            return None
        left = await self._until_reached(lambda: queue.waiting(self._link, self._fetched(suspended=True)))
        if left:
            self.say(f"runs are left in the queue: {listed(sorted(self.suspended.waiting()))}")
        return ExitCode.NO_ANSWER if left or left is None else ExitCode.PASSED

    async def _begin_again(self, cause: str) -> ExitCode | None:
        """Wait after a break, twice as long after each that follows; with `once` the exit code where none ends it."""
        now = time.monotonic()
        if self._breaks == 0:
            self._broken_since = now
        if self.once and now - self._broken_since > PATIENCE:
            self.say(f"the queue broke off: {cause}; runs may be left")
            return ExitCode.NO_ANSWER
        pause = min(_LONGEST_PAUSE, 2.0**self._breaks)
        self._breaks += 1
        self.say(f"the queue broke off: {cause}; it is begun again in {pause:g} s")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._signalled.wait(), pause)
        return None

    def _find_queues(self) -> None:
        """Raises `UsageError`, too, where the server lets nobody in however long it is waited for."""
        try:
            store.check(self.dsn, writes=True)
        except NoDatabaseError as error:
            if error.hint:
                raise UsageError(Problem(code="E151", message=str(error), hint=error.hint)) from error
            raise
        self._queues = queue.queues_of(self._link, self.targets, replay=self.replay)

    def _fetched(self, *, suspended: bool = False) -> list[str]:
        now = time.monotonic()
        opened = {target for target, until in self._opened_until.items() if now < until}
        waiting = self.suspended.waiting() - (frozenset() if suspended else opened)
        return [name for target, names in self._queues.items() for name in names if (target in waiting) is suspended]

    def _choose_queues(self) -> None:
        if self._worker is not None:
            self._worker.queues = self._fetched()

    def _end(self, name: str) -> None:
        """A signal: no effect begins any more, and the runs go back into the queue."""
        self.say(f"{name}: runs are given back at their next call; calls in flight get up to {self.grace:g} s")
        self._ended = True
        self._signalled.set()
        self.runs.drain()
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]  # it has no types
        asyncio.get_running_loop().call_later(self.grace, os._exit, ExitCode.PASSED)

    async def _until_reached(self, do: Callable[[], object]) -> "list[str] | None":
        """What `do` gives; None where the database cannot be reached for too long."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                found = await asyncio.to_thread(do)
                return found if isinstance(found, list) else []
            except NoDatabaseError as error:
                if time.monotonic() > ends or self._ended:
                    self.say(f"no database for {PATIENCE:g} s: {error}")
                    return None
            await asyncio.sleep(_LOOK)

    def _app(self, threads: ThreadPoolExecutor) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(kwargs=database.parameters(self.dsn), min_size=1, max_size=4)
        app = procrastinate.App(connector=connector)

        async def carry(run: str) -> None:
            left = await asyncio.get_running_loop().run_in_executor(threads, self._carried, run)
            self._choose_queues()
            if left.state == "parked":
                raise ParkedError(left)

        app.task(name=queue.TASK, retry=Later())(carry)
        return app

    def _carried(self, run: str) -> Left:
        """Carry a run out. A worker whose run was taken over counts as dead."""
        try:
            return self.runs.carry(run)
        except FencedError as error:
            self.say(f"{error}: this worker ends")
            os._exit(FENCED)
        except NoDatabaseError as error:
            self.say(f"no database for {PATIENCE:g} s: {error}")
            os._exit(ExitCode.NO_ANSWER)

    @contextlib.asynccontextmanager
    async def _opened(self, app: procrastinate.App):  # type: ignore[no-untyped-def]  # noqa: ANN202
        await app.open_async()
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                await app.close_async()

    async def _fetch(self, app: procrastinate.App) -> str | None:
        """Fetch and carry out, until a signal, the end of the queue, or a break of the queue's worker: its cause."""
        self._worker = Worker(
            app=app,
            queues=[name for names in self._queues.values() for name in names],
            concurrency=self.jobs,
            wait=not self.once,
            fetch_job_polling_interval=_LOOK,
            update_heartbeat_interval=BEAT,
            stalled_worker_timeout=3600.0,  # the dead are found below
            install_signal_handlers=False,
            delete_jobs="always",
        )
        if self._ended:
            return None
        began = time.monotonic()
        try:
            await self._worker.run()  # type: ignore[no-untyped-call]  # it has no types
        except Exception as error:  # noqa: BLE001  whatever it is, the runs are left, and all begins again
            self.runs.drain()
            if time.monotonic() - began > DEAD:
                self._breaks = 0
            await asyncio.to_thread(self._all_left)
            return _cause(error)
        else:
            self._breaks = 0
            return None
        finally:
            self._worker = None

    def _all_left(self) -> None:
        while self.runs.running():
            time.sleep(_LOOK / 10)

    async def _look_after(self) -> None:
        """Five times a heartbeat: what became of others, whether a run is to stop, and that this worker is alive."""
        self._last_look = time.monotonic()
        while True:
            await asyncio.sleep(BEAT / 5)
            worker = self._worker
            self._choose_queues()
            has_ended = worker is not None and worker._stop_event.is_set()  # noqa: SLF001
            if has_ended and not (self._ended or self.once):
                self.runs.drain()  # a task of its own broke: there is no heartbeat any more
            try:
                await asyncio.to_thread(self._look, None if worker is None else worker.worker_id)
            except StoreError:
                self._quiet_until = time.monotonic() + DEAD

    def _look(self, worker: int | None) -> None:
        """Look after the queue and other workers; nobody counts as dead who may have been cut off with us."""
        up, now = queue.seconds_up(self._link), time.monotonic()
        if now - self._last_look > DEAD / 3:
            self._quiet_until = now + DEAD
        self._last_look = now
        if worker is not None:
            queue.register(self._link, worker, self._registered())
            self._touch_alive()
        for run, person in orders.to_stop(self._link, self.runs.running()).items():
            self.runs.stop(run, person)
        stopped = orders.stopped_while_waiting(self._link, [*self.suspended.waiting()])
        new = {stopped[run]: now + DEAD for run in stopped.keys() - self._stopped}
        open_still = {target: until for target, until in self._opened_until.items() if target in stopped.values()}
        self._opened_until = open_still | new
        self._stopped |= stopped.keys()
        if now < self._quiet_until or up < DEAD:
            return
        for run in queue.requeue_of_the_dead(self._link, dead=DEAD):
            self.say(f"run {run} is queued again: its worker is silent")
        if now < self._next_sweep:
            return
        self._next_sweep = now + DEAD
        for run in queue.sweep(self._link, dead=DEAD):
            self.say(f"run {run} is queued again: it had no item")
        queue.forget_workers(self._link, dead=DEAD)

    def _registered(self) -> RegisteredWorker:
        waiting = self.suspended.waiting()
        suspended = {
            target: {"reason": each.reason, "since": each.since, "waits": target in waiting}
            for target, each in self.suspended.all().items()
        }
        return RegisteredWorker(
            name=self.name, targets=self.targets, jobs=self.jobs, replay=self.replay, suspended=json.dumps(suspended)
        )


def _cause(error: BaseException) -> str:
    """The first line of an error's cause: the queue's library says only that it is of the database."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
