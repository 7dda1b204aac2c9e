"""Two runs that start one process at the same time, in every order of what they do: no row vouches for another's call,
nothing is sent twice, and nothing is green that did not happen; wherever a run is killed, too, and resumed.

A call is answered, or lost; a row comes at any moment after its call, or never; and any time may pass between two steps
of a run.
"""

import itertools
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from interleaved import Actor, Choice, KilledError, Point, Program, Scheduler, on_one_processor, orders
from stories import family_of_one, http_date, moment, planned

from runner.foundation.values import Json, JsonObject, items, record
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.sent_calls import Delays
from runner.hosts.stop import Stop
from runner.hosts.turns import HeldUp, Turn, Turns
from runner.runs.events import AnyEvent, CallAnswered, CallSent, RunFacts, StepFinished, Trouble
from runner.runs.files.owned_rows import RowsOfRun
from runner.runs.files.row_database import RowDatabase
from runner.runs.journal import Journal, parse
from runner.runs.status import Status
from runner.runs.store import Others, RowQuery, SentStarts
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

pytestmark = [pytest.mark.slow, pytest.mark.first]

WATERMARK: Final = 20
LOST = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E305", message="no answer"))


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of the call of one run, and when the run begins. It is killed before the points `killed_at` of its
    own, counted from 1, and resumed so many seconds `later`; points are steps that others may notice, and lines of its
    journal. The answer to its first reading of the log takes `stalled` seconds after it was written. `is_buffered`:
    lines that were not committed are lost with it. `verify` is that of its step.
    """

    happens: bool
    answered: bool
    begins: float = 0.0
    killed_at: tuple[int, ...] = ()
    later: float = 0.0
    stalled: float = 0.0
    is_buffered: bool = False
    verify: str = "auto"


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
    """A `RunLog` in memory. `safe` are the lines that a kill leaves."""

    run = "run"

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._written: list[bytes] = []
        self.safe: list[bytes] = []

    def append(self, line: bytes, *, durable: bool) -> None:
        self._run.come_to_a_point(is_noticed=False)
        self._written.append(line + b"\n")
        if durable or not self._run.fate.is_buffered:
            self.commit()

    def commit(self) -> None:
        self.safe += self._written
        self._written.clear()

    def sync_run(self) -> None: ...

    def check_fence(self) -> None: ...

    def drop_torn_line(self) -> None: ...

    def put_result(self, name: str, content: bytes) -> None: ...

    def result(self, name: str) -> bytes:
        raise NotImplementedError

    def close(self) -> None: ...


class Steps:
    """What a run does to the store, step by step."""

    def __init__(self, owned: RowsOfRun, run: "Run") -> None:
        self._owned = owned
        self._run = run
        self._answers = False

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        self._run.before("store")
        self._answers = self._answers or not is_read
        self._owned.begin(key, process, seconds=seconds, is_read=is_read)

    def leave(self, key: str) -> None:
        if self._run.fate.happens:
            self._run.before("send")
        self._owned.leave(key)

    def time_out(self, key: str) -> None:
        self._owned.time_out(key)

    def answer(self, key: str) -> None:
        self._answers = True
        self._owned.answer(key)

    def queue(self, key: str) -> None:
        self._owned.queue(key)

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        self._run.before("store")
        self._owned.never_began(key, is_certain=is_certain)

    def sent(self) -> SentStarts:
        return SentStarts()

    def flush(self) -> None:
        if self._run.is_gone or not self._answers:
            return
        self._answers = False
        self._owned.flush()

    def ask(self, query: RowQuery) -> Others:
        self._run.before("ask")
        self._answers = False
        others = self._owned.ask(query)
        self._run.seen.append((len(others.taken), others.rival))
        return others


class ScheduledStop(Stop):
    def __init__(self, run: "Run", scheduler: Scheduler) -> None:
        super().__init__(grace=30.0, clock=lambda: scheduler.now)
        self._run = run
        self._scheduler = scheduler

    def wait(self, seconds: float) -> None:
        if seconds >= 1.0:
            self._run.before("sleep", due=self._scheduler.now + seconds)


class ScheduledTurn(Turn):
    """A turn of two runs of one program."""

    def __init__(self, turns: Turns, program: Program) -> None:
        super().__init__(turns)
        self._program = program

    def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
        lock = self._turns.lock(process)
        while self._process != process and lock.locked():
            self._program.before("turn", ready=lambda: not lock.locked())
        return super().take(process, stop, held_up=held_up)


class Run:
    """One run: its program, its journal, and what its host calls. `noticed` are its points that others may notice."""

    def __init__(self, world: "World", name: str, fate: Fate) -> None:
        self.world = world
        self.name = name
        self.fate = fate
        self.program = Program(name)
        self.sent = self.asked = 0
        self.program.ahead = self.ahead
        self.seen: list[object] = []
        self.events: list[AnyEvent] = []
        self.id = world.run_id(name)
        self.points = 0
        self.noticed: list[int] = []
        self.is_killed = False
        self.lines = Lines(self)

    @property
    def is_gone(self) -> bool:
        """Whether nothing that it has begun may come to its end."""
        return self.is_killed or self.program.is_killed

    def start(self) -> None:
        self.program.start(self._live)

    def before(self, kind: str, *, due: float = 0.0) -> None:
        self.come_to_a_point()
        self.program.before(kind, due=due)

    def come_to_a_point(self, *, is_noticed: bool = True) -> None:
        self.points += 1
        if is_noticed:
            self.noticed.append(self.points)
        if self.is_gone or self.points in self.fate.killed_at:
            self.is_killed = True
            raise KilledError

    def _live(self) -> None:
        if self.fate.begins:
            self.program.before("begin", due=self.fate.begins)
        while True:
            try:
                return self._carry()
            except KilledError:
                if self.program.is_killed:
                    raise
            self.program.before("resume", due=self.world.scheduler.now + self.fate.later)
            self.seen.append("resumed")
            self.is_killed = False

    def _carry(self) -> None:
        kept = self.lines.safe
        self.lines = Lines(self)
        self.lines.safe = kept
        earlier = parse(kept)
        assert earlier.flaw is None
        plan = PLANS[self.fate.verify]
        journal = Journal(self.lines, plan.secrets, now=lambda: "2026-01-31T09:00:00.000Z", earlier=earlier)
        owned = RowsOfRun(self.world.database, run=self.id, site=self.world.site, settle=15.0)
        host = LocalHost(
            caller=self,
            journal=journal,
            stop=ScheduledStop(self, self.world.scheduler),
            turn=ScheduledTurn(self.world.turns or Turns(), self.program),
            ask=lambda _text, _stop, _seconds: True,
            owned=Steps(owned, self),
            clock=lambda: self.world.scheduler.now,
            delays=Delays(lambda: self.world.scheduler.now),
            draw=lambda: 0.0,
            judgement=Judgement(look_again=bool(earlier.lines)),
        )
        facts = RunFacts(run=self.id, started_at="2026-01-31T09:00:00.000Z", engine="test", commit=None)
        host.carry(plan, facts, earlier=earlier.lines)
        self.events = [line.event for line in journal.lines]

    @property
    def last(self) -> StepFinished:
        return [event for event in self.events if isinstance(event, StepFinished)][-1]

    def after_its_call(self) -> list[AnyEvent]:
        """What was written down right after each time that its call was."""
        return [
            after
            for event, after in pairwise(self.events)
            if isinstance(event, CallSent) and event.call.get("kind") == "execute"
        ]

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
        if self.fate.killed_at:
            kinds |= {"resume", "mark", "store"}
        if self.world.turns and f"{self.name}: store" not in made:
            kinds |= {"turn"}
        return frozenset(kinds)

    def state(self) -> Hashable:
        if self.program.next is None:
            last = self.last
            return (last.status, last.process_id is None, last.verified, self.sent)
        return (self.program.next, int(self.program.due), repr(self.seen), len(self.lines.safe), self.points)

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
                self.come_to_a_point()
                return Answered(value=None, date=self.world.date()) if self.fate.answered else LOST
            case ReadRows():
                assert gate.may_leave()
                self.before("mark" if call.top == WATERMARK else "read")
                self.asked += 1
                answer = Answered(value=self.world.shown(call.since or ""), date=self.world.date())
                if self.fate.stalled and call.top == WATERMARK:
                    self.before("sleep", due=self.world.scheduler.now + self.fate.stalled)
                return answer
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

    def __init__(self, database: RowDatabase, fates: Mapping[str, Fate], *, turns: Turns | None = None) -> None:
        self.scheduler = Scheduler()
        self.turns = turns
        self.is_checked = False
        self.database = database
        database.clock = lambda: 1_000_000.0 + self.scheduler.now
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
        deciding = [
            run.program for run in self.runs.values() if self.turns or not run.fate.happens or run.fate.killed_at
        ]
        for run in self.runs.values():
            actors[run.name] = run.program
            run.start()
        done = self.scheduler.make_steps(choice, self.state, until=deciding)
        try:
            if done:
                self.check()
                self.is_checked = True
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
        matters = ("store", "mark", "begin", "read", "turn") if self.turns else ("store", "mark")
        order = tuple(made for made in self.scheduler.made if made.endswith(matters))
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
            last = run.last
            assert last.process_id in (None, f"{self.prefix}{run.name}"), (run.name, last)
            after = run.after_its_call()
            assert run.sent or after, f"{run.name} is never sent"
            is_proved = (
                any(isinstance(event, CallAnswered) for event in after)
                or last.status is Status.UNKNOWN
                or last.process_id is not None
            )
            assert is_proved, (run.name, last)
            has_happened = any(row.of == run.name for row in self.rows)
            assert has_happened or last.verified is None, (run.name, last)
            assert has_happened or last.status is not Status.PASSED, (run.name, last)
        with self.database.changing() as database:
            found = database.execute("SELECT id, run FROM row").fetchall()
        for row_id, owner in found:
            assert owner == self.run_id(row_id.split()[-1]), found


PLANS: Final = {
    verify: planned(f"  - id: a\n    execute: {{process: UsrA}}\n    timeout: 20s\n    verify: {verify}\n")
    for verify in ("auto", "none")
}
NOTHING: Final = Fate(happens=False, answered=False)
"""The call is lost, and nothing came of it: no row that comes is its own."""
PASSES: Final = Fate(happens=True, answered=True)
LOST_ANSWER: Final = Fate(happens=True, answered=False)
_FATES: Final = [pytest.param(PASSES, id="P"), pytest.param(NOTHING, id="N"), pytest.param(LOST_ANSWER, id="L")]
_FEWEST_POINTS: Final = 30


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RowDatabase]:
    made = RowDatabase(tmp_path / ".rows.sqlite")
    with on_one_processor():
        yield made
    made.close()


def carry_out_all(database: RowDatabase, **fates: Fate) -> int:
    """Carry out every order; to how many points of its own A came at most."""
    most = 0

    def carry_out(choice: Choice) -> None:
        nonlocal most
        world = World(database, fates)
        world.carry_out(choice)
        most = max(most, world.runs["A"].points)

    for _ in orders(carry_out):
        pass
    return most


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
    carry_out_all(database, **fates)


@pytest.mark.parametrize("begins", [0.0, 30.0])
@pytest.mark.parametrize("fate", _FATES)
def test_nor_that_of_a_run_that_reads_no_log(database: RowDatabase, fate: Fate, begins: float) -> None:
    unread = replace(fate, verify="none")
    carry_out_all(database, A=replace(NOTHING, begins=begins), B=unread)


@pytest.mark.parametrize("fate", [PASSES, LOST_ANSWER])
def test_nor_that_of_one_that_was_killed_before_its_starts_were_stored(database: RowDatabase, fate: Fate) -> None:
    unread = replace(fate, verify="none")
    undisturbed = World(database, {"A": replace(unread, killed_at=(0,))})
    undisturbed.carry_out(Choice([], set()))
    for point in sorted({each + more for each in undisturbed.runs["A"].noticed for more in (0, 1)}):
        carry_out_all(database, B=NOTHING, A=replace(unread, killed_at=(point,), later=5.0))


@pytest.mark.parametrize("fate", _FATES)
@pytest.mark.parametrize(("later", "is_buffered"), [(0.0, False), (60.0, True)])
def test_wherever_a_run_is_killed_and_resumed_its_call_is_sent_once_and_green_only_where_it_happened(
    database: RowDatabase, fate: Fate, later: float, *, is_buffered: bool
) -> None:
    for point in itertools.count(1):
        killed = replace(fate, killed_at=(point,), later=later, is_buffered=is_buffered)
        if carry_out_all(database, A=killed) < point:
            break
    assert point > _FEWEST_POINTS


def test_a_call_that_leaves_long_after_the_reading_before_it_takes_no_row_that_began_in_between(
    database: RowDatabase,
) -> None:
    fates = {"A": replace(PASSES, killed_at=(14,), later=60.0), "B": NOTHING}
    order = [*"ABAAAAAAAAABBBBB", "A row", *"BBB"]
    world = World(database, fates)
    world.carry_out(Choice([Point(left=[], chosen=name) for name in order], set()))
    b = world.runs["B"]
    assert b.last.status is Status.UNKNOWN
    assert [event.delayed for event in b.events if isinstance(event, CallSent) and event.delayed] == [
        pytest.approx(75.0, abs=0.1)
    ]


def test_nor_does_a_call_whose_reading_before_it_was_answered_long_before_the_answer_came(
    database: RowDatabase,
) -> None:
    fates = {"A": replace(PASSES, killed_at=(14,), later=60.0), "B": replace(NOTHING, stalled=75.0)}
    order = [*"ABAAAAAAAAABBBBBB", "A row", *"BBB"]
    world = World(database, fates)
    world.carry_out(Choice([Point(left=[], chosen=name) for name in order], set()))
    assert world.runs["B"].last.status is Status.UNKNOWN


@pytest.mark.long
@pytest.mark.parametrize("fate", _FATES)
def test_so_it_is_where_it_is_killed_twice(database: RowDatabase, fate: Fate) -> None:
    for first in itertools.count(1):
        for second in itertools.count(first + 1):
            killed = replace(fate, killed_at=(first, second), later=5.0)
            if (most := carry_out_all(database, A=killed)) < second:
                break
        if most < first:
            return


@pytest.mark.long
@pytest.mark.parametrize("later", [0.0, 60.0])
@pytest.mark.parametrize(("fate", "other"), [(PASSES, NOTHING), (NOTHING, PASSES), (LOST_ANSWER, NOTHING)])
def test_so_it_is_where_another_run_starts_the_process_at_the_same_time(
    database: RowDatabase, fate: Fate, other: Fate, later: float
) -> None:
    for point in itertools.count(1):
        if carry_out_all(database, A=replace(fate, killed_at=(point,), later=later), B=other) < point:
            return


@pytest.mark.parametrize("begins", [0.0, 0.001], ids=["it waits", "it comes at any time"])
@pytest.mark.parametrize("second", _FATES)
@pytest.mark.parametrize("first", _FATES)
def test_nor_where_two_runs_of_one_program_take_turns_and_hand_on_what_the_log_shows(
    database: RowDatabase, first: Fate, second: Fate, begins: float
) -> None:
    asked: set[int] = set()

    def carry_out(choice: Choice) -> None:
        world = World(database, {"A": first, "B": replace(second, begins=begins)}, turns=Turns())
        world.carry_out(choice)
        if world.is_checked:
            asked.update(run.asked for run in world.runs.values())

    for _ in orders(carry_out):
        pass
    if first is second is PASSES:
        assert min(asked) == 1 < max(asked), "some runs get the first reading, and some read themselves"
