"""A site that misbehaves in every way that is known of, and several programs that call it at the same time.

Time is the model's own: whoever is due next is served, and nobody waits. Rows come late by anything from 0 to 60 s,
doubled, as parts of other processes, of other runs and of other machines; answers get lost, are turned away although
the process has started, or name another process. The model knows the truth: which call each row is of.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from stories import family_of_one, http_date, moment

from runner.engine.carry_out import carry_out
from runner.engine.effects import (
    Ask,
    Done,
    Effect,
    Failed,
    Note,
    Outcome,
    PollStop,
    QueryPeers,
    ResolveDoubt,
    Running,
    Send,
    Sleep,
)
from runner.engine.start_bounds import has_begun_nothing
from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.planning.plan import Plan
from runner.runs.events import RunFacts, StepFinished, Trouble
from runner.runs.files.owned_rows import RowsOfRun
from runner.runs.files.row_database import RowDatabase
from runner.service.calls import (
    SESSION_REFUSED,
    Answered,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    FindFamily,
    ReadFamily,
    ReadRow,
    ReadRows,
    RunProcessCall,
    WhoAmI,
)

PROCESS = "UsrA"
NOBODY = ""
"""The truth of a row that no program of ours has made."""


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How the site treats one start. It begins so many `times`, each row shown after its `lags`, with its status.

    `answer` is `ok`, `lost`, `session` (401), `later` (429), `refused` or `wrong` (the id of another process).
    """

    seconds: float = 0.1
    times: int = 1
    lags: tuple[float, ...] = (0.0, 0.0)
    statuses: tuple[str, ...] = ("done", "done")
    answer: str = "ok"
    part: bool = False


@dataclass(kw_only=True)
class Row:
    id: str
    began: float
    shown: float
    status: str
    truth: str
    parent: str | None = None
    is_double: bool = False

    def as_read(self) -> JsonObject:
        return {
            "id": self.id,
            "name": PROCESS,
            "started": moment(self.began),
            "completed": moment(self.began + 0.05),
            "status": self.status,
            "owner": "us",
            "parent": self.parent,
            "error": "Divide by zero" if self.status == "error" else None,
        }


@dataclass(kw_only=True)
class Program:
    """One run of ours: what it was made of, and how far it is. `ready` gives the outcome at the moment `due`."""

    name: str
    running: Running[None]
    owned: RowsOfRun
    begun: float
    due: float = 0.0
    ready: Callable[[], Outcome | None] = lambda: None
    ended: bool = False
    finished: list[StepFinished] = field(default_factory=list)
    sent: list[tuple[str, str, bool, float]] = field(default_factory=list)
    """Of each start that left: the row's key, the effect, whether it has begun a process, and when."""


@dataclass(kw_only=True)
class HostileSite:
    """`manners` gives how the next start is treated; `foreign` are starts of other machines: when, and how late."""

    owned: RowDatabase
    manners: Callable[[Send], Manners]
    now: float = 0.0
    rows: list[Row] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def foreign(self, began: float, lag: float, status: str = "done") -> None:
        self._add(began, lag, status, truth=NOBODY)

    def start(self, plan: Plan, *, at: float) -> Program:
        name = f"0193a0c4-0000-7000-8000-{len(self.programs):012d}"
        facts = RunFacts(run=name, started_at="2026-01-31T09:00:00.000Z", engine="test", commit=None)
        owned = RowsOfRun(self.owned, run=name, site="site", settle=plan.times.settle)
        program = Program(name=name, running=carry_out(plan, facts), owned=owned, begun=at, due=at)
        self.programs.append(program)
        return program

    def go_on(self) -> None:
        """Serve whoever is due next until all have ended."""
        while waiting := [program for program in self.programs if not program.ended]:
            program = min(waiting, key=lambda one: one.due)
            self.now = max(self.now, program.due)
            self._step(program)

    def own_rows(self, program: Program, key: str) -> list[Row]:
        return [row for row in self.rows if row.truth == f"{program.name} {key}"]

    def _step(self, program: Program) -> None:
        outcome = program.ready()
        while True:
            try:
                effect = program.running.send(outcome)
            except StopIteration:
                program.owned.flush()
                program.ended = True
                return
            match effect:
                case Note(event=event):
                    program.finished += [event] if isinstance(event, StepFinished) else []
                    outcome = None
                case PollStop():
                    outcome = None
                case ResolveDoubt(ended=ended, refused=refused):
                    if ended or refused:
                        program.owned.flush()
                        program.ended = True
                        return
                    outcome = Done(t=self._t(program), value={"as": "unknown"})
                case QueryPeers():
                    outcome = self._asked(program, effect)
                case Send() | Sleep() | Ask():
                    self._perform(program, effect)
                    return
                case _:
                    assert_never(effect)

    def _t(self, program: Program) -> float:
        return round(self.now - program.begun, 6)

    def _asked(self, program: Program, inquire: QueryPeers) -> Done:
        if inquire.nothing_began:
            program.owned.never_began(inquire.key, is_certain=False)
            return Done(t=self._t(program), value={})
        if inquire.still_waits:
            program.owned.queue(inquire.key)
            return Done(t=self._t(program), value={})
        as_read = program.owned.ask(inquire)
        return Done(t=self._t(program), value={"taken": list(as_read.taken), "rival": as_read.rival})

    def _perform(self, program: Program, effect: Send | Sleep | Ask) -> None:
        if not isinstance(effect, Send):
            program.owned.flush()
            program.due = self.now + (effect.seconds or 0.0)
            program.ready = lambda: Done(t=self._t(program), value=True)
            return
        ending = self._started(program, effect) if _starts(effect) else self._read(effect)
        program.ready = lambda: self._outcome(program, effect, ending())

    def _outcome(self, program: Program, send: Send, ending: Ending) -> Outcome:
        if _starts(send):
            if isinstance(ending, CallFailed) and has_begun_nothing(ending):
                program.owned.never_began(send.key)
            elif isinstance(ending, Answered) or ending.kind is not FailureKind.UNANSWERED:
                program.owned.answer(send.key)
        if isinstance(ending, CallFailed):
            return Failed(t=self._t(program), failure=ending)
        return Done(t=self._t(program), value=ending.value, date=http_date(self.now))

    def _started(self, program: Program, send: Send) -> Callable[[], Ending]:
        assert isinstance(send.call, ExecuteCall | RunProcessCall)
        is_read = send.watermark is not None or send.effect is StepEffect.ONCE
        program.owned.begin(send.key, send.call.process, seconds=send.seconds, is_read=is_read)
        manners = self.manners(send)
        truth = f"{program.name} {send.key}"
        made = [
            self._add(self.now + 0.01 * number, lag, status, truth=truth)
            for number, lag, status in zip(range(manners.times), manners.lags, manners.statuses, strict=False)
        ]
        for double in made[1:]:
            double.is_double = True
        if manners.part and made:
            self._add(self.now + 0.03, 0.0, "done", truth=NOBODY, parent=made[0].id)
        program.sent.append((send.key, send.effect.value, manners.times > 0, self.now))
        program.due = self.now + (send.seconds if manners.answer == "lost" else manners.seconds)
        named = made[0] if made else None
        is_run = isinstance(send.call, RunProcessCall)
        return lambda: self._answer(manners, named, is_run=is_run)

    def _answer(self, manners: Manners, named: Row | None, *, is_run: bool) -> Ending:
        match manners.answer:
            case "lost":
                return CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E305", message="no answer"))
            case "session" | "later":
                code = SESSION_REFUSED if manners.answer == "session" else "E310"
                status, date = (401 if manners.answer == "session" else 429), http_date(self.now)
                trouble = Trouble(code=code, message="no")
                return CallFailed(kind=FailureKind.TURNED_AWAY, trouble=trouble, status=status, date=date)
            case "refused":
                trouble = Trouble(code="E205", message="a fault")
                date = http_date(self.now)
                return CallFailed(kind=FailureKind.REFUSED, trouble=trouble, status=500, unproved=True, date=date)
            case "wrong" if is_run and (others := self._known()):
                named = others[-1]
        if not is_run:
            return Answered(value=None)
        said: JsonObject = {"process_id": None, "status": "queued"}
        if named is not None:
            said = {"process_id": named.id, "status": named.status}
        return Answered(value={**said, "results": {}})

    def _known(self) -> list[Row]:
        """The rows that calls are known to have made."""
        named = {event.process_id for program in self.programs for event in program.finished}
        return [row for row in self.rows if row.id in named]

    def _read(self, send: Send) -> Callable[[], Ending]:
        match send.call:
            case ReadRows() as call:
                return lambda: Answered(value=list(self._shown(call)))
            case ReadRow(process_id=process_id):
                return lambda: Answered(value=next((row.as_read() for row in self.rows if row.id == process_id), None))
            case WhoAmI():
                return lambda: Answered(value="us")
            case FindFamily():
                return lambda: Answered(value=PROCESS)
            case ReadFamily():
                return lambda: Answered(value=[family_of_one(PROCESS)])
            case _:
                return lambda: Answered(value=[])

    def _shown(self, call: ReadRows) -> Iterator[Json]:
        newest = sorted(self.rows, key=lambda row: row.began, reverse=True)
        shown = [row.as_read() for row in newest if row.shown <= self.now]
        since = call.since or ""
        yield from [row for row in shown if str(row["started"]) >= since][: call.top]

    def _add(self, began: float, lag: float, status: str, *, truth: str, parent: str | None = None) -> Row:
        number = len(self.rows) + 1
        name = f"00000000-0000-0000-0000-{number:012d}"
        row = Row(id=name, began=began, shown=began + lag, status=status, truth=truth, parent=parent)
        self.rows.append(row)
        return row


def _starts(effect: Effect) -> bool:
    return isinstance(effect, Send) and isinstance(effect.call, ExecuteCall | RunProcessCall)
