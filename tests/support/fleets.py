"""A fleet for tests: a database, jobs that are put into its queue, and workers, here or as processes of their own."""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

import uuid_utils
from msgspec import to_builtins
from running import DEVNULL, STDOUT, Change, ForkedCommand, start
from sandboxes import ServedSandbox, serve_sandbox

from runner.execution.fleet_run import FleetRuns
from runner.execution.prepare import prepare
from runner.execution.run_spec import Wanted
from runner.fleet import database, queue
from runner.fleet.database import Link
from runner.fleet.queue import NewRun
from runner.fleet.sign_ins import FleetSignIns
from runner.fleet.store import FleetStore
from runner.fleet.suspended import SuspendedTargets
from runner.planning.plan import stored
from runner.project.named_targets import name_of
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.runs.evidence import ApplyOrigin, Starter
from runner.runs.journal import parse
from runner.runs.result import RunResult, fold
from runner.service.auth import Credentials
from runner.service.site import Site
from runner.version import REPLAY

CHARGE = """runner: 1
process: UsrCharge
parameters: {Mark: {type: text}, Receipt: {type: text, direction: both}}
"""


ORIGIN = {"applied": ApplyOrigin(ledger="postgresql://db/fleet", fleet=""), "begun_by": Starter(user="ada@host")}
"""What an `apply` stores beside the plan."""


@dataclass(slots=True, kw_only=True)
class Fleet:
    """`folder` is where its jobs and its targets file are."""

    dsn: str
    folder: Path
    sandbox: ServedSandbox
    workers: list[ForkedCommand] = field(default_factory=list)
    _connection: "database.FleetConnection | None" = field(default=None, init=False)

    def __post_init__(self) -> None:
        (self.folder / "targets.yaml").write_text(self.sandbox.targets())

    def put(
        self,
        name: str,
        steps: str,
        *,
        lock: str | None = None,
        needs: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
    ) -> str:
        """Queue a run of a job with these steps; its id."""
        file = self.folder / f"{name}.job.yaml"
        file.write_text(f"runner: 1\nname: {name}\ntarget: here\n{steps}")
        (spec,) = prepare(Wanted(specs=[file])).runs
        run = NewRun(
            id=str(uuid_utils.uuid7()),
            title=spec.title,
            job=name,
            target="here",
            plan=json.dumps({**stored(spec.plan(name_of(spec.target))), **to_builtins(ORIGIN)}),
            lock=lock,
            needs=needs,
            after=after,
        )
        with database.connect(self.dsn) as connection, connection.transaction():
            queue.put_runs(connection, [run])
        return run.id

    def result(self, run: str) -> RunResult:
        """How the run is by its events, whose chain is whole."""
        store = FleetStore(self.dsn)
        reading = parse(store.events(run))
        store.close()
        assert (reading.flaw, reading.torn) == (None, False)
        return fold(reading.lines, run=run)

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Over a connection that is kept: for each the server starts a process. It is made anew where it has broken."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = database.connect(self.dsn)
        try:
            with database.stored():
                cursor = self._connection.execute(statement.encode(), values)
                return cursor.fetchall() if cursor.description else []
        except database.NoDatabaseError:
            if not self._connection.broken:
                raise
            return self.sql(statement, *values)

    def disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def states(self) -> dict[str, str]:
        """The state, or how it ended, of each run, by the name of its job."""
        found = self.sql("select job, case when state = 'ended' then status else state end from runs")
        return {str(job): str(state) for job, state in found}

    def starts(self) -> Counter[str]:
        return Counter(start.mark for start in self.sandbox.starts())

    @contextmanager
    def runs(self, name: str = "here", *, clock: Callable[[], float] = monotonic) -> Iterator[FleetRuns]:
        """A worker in this process, which carries out what it is given."""

        def sign_ins(site: Site, credentials: Credentials) -> FleetSignIns:
            return FleetSignIns(link, site=site, credentials=credentials, worker=name)

        with (
            closing(Link(self.dsn)) as link,
            Sites(serve=_none, environment=os.environ, read_file=read_text, sign_ins=sign_ins) as sites,
        ):
            yield FleetRuns(
                dsn=self.dsn,
                worker=name,
                sites=sites,
                targets=self.folder / "targets.yaml",
                grace=30.0,
                say=lambda _line: None,
                suspended=SuspendedTargets(lambda _line: None, clock=clock),
            )

    def worker(
        self, *options: str, dead: float = 3.0, patience: float = 60.0, replay: int = REPLAY, dsn: str | None = None
    ) -> ForkedCommand:
        """A worker as a process of its own, which takes others for dead after `dead` seconds. What it says goes into a
        file.
        """
        log = self.folder / f"worker-{len(self.workers)}.log"
        numbers = {"dead": dead, "patience": patience, "replay": replay}
        change = Change(module="worker_numbers", function="replace", values=numbers)
        environment = {**os.environ, "CREATIO_RUNNER_DB": dsn or self.dsn}
        with log.open("ab") as out:
            started = start(
                "worker", *options, stdin=DEVNULL, stdout=out.fileno(), stderr=STDOUT,
                env=environment, folder=self.folder, change=change,
            )  # fmt: skip
        self.workers.append(started)
        return started

    def said(self) -> str:
        """What all workers have said."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("worker-*.log")))


@contextmanager
def at_site(dsn: str, folder: Path, *, processes: Sequence[str] = ("UsrCharge",)) -> Iterator[Fleet]:
    """A fleet with a site that has these processes, and `UsrRefund`."""
    doubles = folder / "doubles"
    doubles.mkdir()
    for process in (*processes, "UsrRefund"):
        (doubles / f"{process}.process.yaml").write_text(CHARGE.replace("UsrCharge", process))
    with serve_sandbox(doubles, folder / "data.sqlite") as served:
        made = Fleet(dsn=dsn, folder=folder, sandbox=served)
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.kill()
            for worker in made.workers:
                worker.wait(300)
            made.disconnect()


def until(condition: Callable[[], bool], *, seconds: float = 300.0, why: Callable[[], object] = lambda: "") -> None:
    ends = monotonic() + seconds
    while not condition():
        assert monotonic() < ends, why()
        sleep(0.05)


def charges(*marks: str, more: str = "") -> str:
    """Steps each of which starts the process `UsrCharge` once, with its mark."""
    steps = "".join(
        f"  - id: {mark}\n    execute: {{process: UsrCharge, parameters: {{Mark: {mark}}}{more}}}\n" for mark in marks
    )
    return f"steps:\n{steps}"


def in_thread(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def _none(_folder: Path) -> NoReturn:
    raise AssertionError
