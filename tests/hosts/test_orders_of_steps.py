"""Two runs that start one process at the same time, in every order of what they do: no row vouches for another's call,
and nothing is sent twice.

A call is answered, or lost and did not happen; a row comes at any moment after its call, or never; and any time may
pass between two steps of a run.
"""

import itertools
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from interleaved import Actor, Choice, Program, Scheduler, orders
from stories import family_of_one, http_date, moment, planned

from runner.engine.scope import RunFacts
from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.runs.events import Status, StepFinished, Trouble
from runner.runs.files.owned_rows import RowDatabase, RowsOfRun
from runner.runs.journal import Journal
from runner.runs.store import Others, RowQuery
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    FindFamily,
    ReadFamily,
    ReadRow,
    ReadRows,
    WhoAmI,
)
from runner.service.gate import Gate

pytestmark = pytest.mark.slow

WATERMARK: Final = 20
LOST = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E305", message="no answer"))


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of the call of one run, and when the run begins."""

    happens: bool
    answered: bool
    begins: float = 0.0


@dataclass(kw_only=True)
class Row:
    of: str
    began: float
    shown: bool = False

    def written(self, prefix: str) -> JsonObject:
        return {
            "id": f"{prefix}{self.of}",
            "name": "UsrA",
            "started": moment(self.began),
            "completed": moment(self.began),
            "status": "done",
            "owner": "us",
            "parent": None,
            "error": None,
        }


class Lines:
    """A `RunLog` in memory."""

    run = "run"

    def append(self, line: bytes, *, durable: bool) -> None: ...

    def commit(self) -> None: ...

    def sync_run(self) -> None: ...

    def check_fence(self) -> None: ...

    def drop_torn_line(self) -> None: ...

    def put_result(self, name: str, content: bytes) -> None: ...

    def result(self, name: str) -> bytes:
        raise NotImplementedError

    def close(self) -> None: ...


class Steps:
    """What a run does to the store, step by step."""

    def __init__(self, owned: RowsOfRun, program: Program, seen: list[object], *, happens: bool) -> None:
        self._owned = owned
        self._seen = seen
        self._happens = happens
        self._program = program
        self._answers = False

    def begin(self, key: str, process: str, *, seconds: float) -> None:
        self._program.before("store")
        self._owned.begin(key, process, seconds=seconds)

    def leave(self, key: str) -> None:
        if self._happens:
            self._program.before("send")
        self._owned.leave(key)

    def answer(self, key: str) -> None:
        self._answers = True
        self._owned.answer(key)

    def never_began(self, key: str) -> None:
        self._program.before("store")
        self._owned.never_began(key)

    def flush(self) -> None:
        if self._program.is_killed or not self._answers:
            return
        self._answers = False
        self._owned.flush()

    def ask(self, query: RowQuery) -> Others:
        self._program.before("ask")
        self._answers = False
        others = self._owned.ask(query)
        self._seen.append((len(others.taken), others.rival))
        return others


class ScheduledStop(Stop):
    def __init__(self, program: Program, scheduler: Scheduler) -> None:
        super().__init__(grace=30.0, clock=lambda: scheduler.now)
        self._program = program
        self._scheduler = scheduler

    def wait(self, seconds: float) -> None:
        if seconds >= 1.0:
            self._program.before("sleep", due=self._scheduler.now + seconds)


class Run:
    """One run: its program, its journal, and what its host calls."""

    def __init__(self, world: "World", name: str, fate: Fate) -> None:
        self.world = world
        self.name = name
        self.fate = fate
        self.program = Program(name)
        self.sent = 0
        self.program.ahead = self.ahead
        self.seen: list[object] = []
        self.events: list[StepFinished] = []
        self.id = world.run_id(name)

    def start(self) -> None:
        self.program.start(self._carry)

    def _carry(self) -> None:
        if self.fate.begins:
            self.program.before("begin", due=self.fate.begins)
        journal = Journal(Lines(), PLAN.secrets, now=lambda: "2026-01-31T09:00:00.000Z")
        owned = self.world.database.rows_of(self.id, self.world.site, 15.0)
        host = LocalHost(
            caller=self,
            journal=journal,
            stop=ScheduledStop(self.program, self.world.scheduler),
            turn=Turn(Turns()),
            ask=lambda _text, _stop, _seconds: True,
            owned=Steps(owned, self.program, self.seen, happens=self.fate.happens),
            clock=lambda: self.world.scheduler.now,
            draw=lambda: 0.0,
        )
        facts = RunFacts(id=self.id, started_at="2026-01-31T09:00:00.000Z", engine="test")
        host.carry(PLAN, facts)
        self.events = [line.event for line in journal.lines if isinstance(line.event, StepFinished)]

    def ahead(self) -> frozenset[str]:
        """The kinds of steps that may follow."""
        made = self.world.scheduler.made
        kinds = {"read", "ask", "sleep"}
        if f"{self.name}: send" not in made:
            kinds |= {"send", "show"} if self.fate.happens else set()
        if f"{self.name}: store" not in made:
            kinds |= {"mark", "store"}
        if self.fate.begins and f"{self.name}: begin" not in made:
            kinds |= {"begin"}
        return frozenset(kinds)

    def state(self) -> Hashable:
        if self.program.next is None:
            last = self.events[-1]
            return (last.status, last.process_id is None, last.verified, self.sent)
        return (self.program.next, int(self.program.due), repr(self.seen))

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        del seconds
        ending = self._ended(call, gate)
        shown = ending.value if isinstance(ending, Answered) and isinstance(call, ReadRows) else None
        self.seen.append((type(call).__name__, [str(record(row).get("id"))[-1] for row in items(shown)]))
        return ending

    def _ended(self, call: Call, gate: Gate) -> Ending:
        match call:
            case ExecuteCall():
                assert gate.may_leave()
                self.sent += 1
                if self.fate.happens:
                    self.world.happened(self)
                return Answered(value=None, date=self.world.date()) if self.fate.answered else LOST
            case ReadRows():
                assert gate.may_leave()
                self.program.before("mark" if call.top == WATERMARK else "read")
                return Answered(value=self.world.shown(call.since or ""), date=self.world.date())
            case ReadRow(process_id=process_id):
                found = [row for row in self.world.rows if f"{self.world.prefix}{row.of}" == process_id]
                return Answered(value=found[0].written(self.world.prefix), date=self.world.date())
            case WhoAmI():
                return Answered(value="us", date=self.world.date())
            case FindFamily():
                return Answered(value="UsrA", date=self.world.date())
            case ReadFamily():
                return Answered(value=[family_of_one("UsrA")], date=self.world.date())
            case _:
                return Answered(value=[], date=self.world.date())


class World:
    """One order of the steps of two runs."""

    number = itertools.count()

    def __init__(self, database: RowDatabase, fates: Mapping[str, Fate]) -> None:
        self.scheduler = Scheduler()
        self.database = database
        database.now = lambda: 1_000_000.0 + self.scheduler.now
        self.prefix = f"{next(self.number)} "
        self.site = f"site {self.prefix}"
        self.rows: list[Row] = []
        self.runs = {name: Run(self, name, fate) for name, fate in fates.items()}

    def date(self) -> str:
        return http_date(self.scheduler.now)

    def run_id(self, name: str) -> str:
        return f"0193a0c4-0000-7000-8000-{ord(name):04d}{int(self.prefix):08d}"

    def carry_out(self, choice: Choice) -> None:
        actors = self.scheduler.actors
        deciding = [run.program for run in self.runs.values() if not run.fate.happens]
        for run in self.runs.values():
            actors[run.name] = run.program
            run.start()
        done = self.scheduler.make_steps(choice, self.state, until=deciding)
        try:
            if done:
                self.check()
        except AssertionError as error:
            error.add_note(", ".join(self.scheduler.made))
            raise
        finally:
            for run in self.runs.values():
                run.program.kill()
            with self.database.changing() as database:
                database.execute("DELETE FROM row")
                database.execute("DELETE FROM start")

    def happened(self, run: Run) -> None:
        row = Row(of=run.name, began=self.scheduler.now)
        self.rows.append(row)
        name = f"{run.name} row"
        self.scheduler.actors[name] = Actor(
            name=name, next="show", step=partial(self.show, name, row), ahead=lambda: frozenset({"show"})
        )

    def show(self, name: str, row: Row) -> None:
        row.shown = True
        self.scheduler.actors[name].next = None

    def shown(self, since: str) -> list[Json]:
        newest = sorted((row for row in self.rows if row.shown), key=lambda row: row.began, reverse=True)
        written = [row.written(self.prefix) for row in newest]
        return [row for row in written if str(row["started"]) >= since]

    def state(self) -> Hashable:
        """What all that follows depends on. Milliseconds do not matter, but for what was first."""
        with self.database.changing() as database:
            starts = database.execute(
                "SELECT run, key, CAST(began AS INT), CAST(ends AS INT) FROM start ORDER BY number"
            )
            stored = (*starts, *database.execute("SELECT id, run, key FROM row ORDER BY id"))
        runs = tuple(run.state() for run in self.runs.values())
        rows = tuple((row.of, row.shown) for row in self.rows)
        order = tuple(made for made in self.scheduler.made if made.endswith(("store", "mark")))
        return (
            int(self.scheduler.now),
            runs,
            rows,
            order,
            repr(stored).replace(self.prefix, "").replace(f"{int(self.prefix):08d}", ""),
        )

    def check(self) -> None:
        for run in self.runs.values():
            if run.program.error:
                raise run.program.error
            assert run.sent <= 1, f"{run.name} is sent twice"
            if run.program.next is not None:
                continue
            last = run.events[-1]
            assert last.process_id in (None, f"{self.prefix}{run.name}"), (run.name, last)
            is_proved = run.fate.answered or last.status is Status.UNKNOWN or last.process_id is not None
            assert is_proved, (run.name, last)
            assert run.fate.happens or last.verified is None, (run.name, last)
        with self.database.changing() as database:
            found = database.execute("SELECT id, run FROM row").fetchall()
        for row_id, owner in found:
            assert owner == self.run_id(row_id.split()[-1]), found


PLAN = planned("  - id: a\n    execute: {process: UsrA}\n    timeout: 20s\n")
NOTHING: Final = Fate(happens=False, answered=False)
"""The call is lost, and nothing came of it: no row that comes is its own."""
PASSES: Final = Fate(happens=True, answered=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RowDatabase]:
    made = RowDatabase(tmp_path / ".rows.sqlite")
    yield made
    made.close()


@pytest.mark.parametrize(
    "fates",
    [
        pytest.param({"A": PASSES, "B": NOTHING}, id="at the same time"),
        pytest.param({"A": NOTHING, "B": NOTHING}, id="nothing happens"),
        pytest.param({"A": replace(NOTHING, begins=60.0), "B": PASSES}, id="a minute later"),
    ],
)
def test_in_no_order_does_the_row_of_one_run_vouch_for_the_call_of_another(
    database: RowDatabase, fates: Mapping[str, Fate]
) -> None:
    for _ in orders(lambda choice: World(database, fates).carry_out(choice)):
        pass
