"""A world for the engine: given answers, a process log in memory, a clock that counts effects.

Nothing here sends, waits or writes. A test lists what it expects in short lines.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TypeGuard, assert_never

from msgspec.structs import replace

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
    Send,
    Sleep,
    Stopped,
)
from runner.foundation.values import Json, JsonObject
from runner.job.actions import Change, IncludedJob
from runner.job.build import job as build_job
from runner.job.model import StepEffect
from runner.planning.plan import Plan, plan
from runner.reading.load import load
from runner.runs.events import (
    AnyEvent,
    RunClosing,
    RunFacts,
    RunFinished,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
    UndoFinished,
    UndoStarted,
)
from runner.runs.process_status import UNDER_WAY
from runner.secrets.redact import Secrets
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    CancelCall,
    ChangeCall,
    CompleteCall,
    ElementCall,
    Ending,
    ExecuteCall,
    FailureKind,
    FindFamily,
    FindProcess,
    QueryCall,
    ReadElementData,
    ReadElements,
    ReadFamily,
    ReadRow,
    ReadRows,
    ReadSchema,
    RunProcessCall,
    WhoAmI,
    WhoIsUser,
)
from runner.service.gate import Gate
from runner.targets.model import Times

WATERMARK = 20
"""Rows that the engine asks for before a call; after it, it asks for more."""

RUN = RunFacts(
    run="0193a0c4-0000-7000-8000-000000000001", started_at="2026-01-31T09:00:00.000Z", engine="test", commit=None
)


_BEGUN = datetime(2026, 1, 31, 9, tzinfo=UTC)


def moment(t: float) -> str:
    """The server's time at the active second `t`, as the log has it."""
    return (_BEGUN + timedelta(seconds=t)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def http_date(t: float) -> str:
    """The same as in the header of an answer, to the second below."""
    return format_datetime((_BEGUN + timedelta(seconds=t)).replace(microsecond=0), usegmt=True)


def planned(steps: str, *, inputs: JsonObject | None = None, rest: str = "") -> Plan:
    """The plan of a job with these steps, written as in a file; `rest` is before `steps`."""
    source = f"runner: 1\nname: story\ntarget: here\n{rest}\nsteps:\n{steps}"
    document = load("story.job.yaml", source.encode())
    assert not isinstance(document, tuple), document
    target = TargetName(name="here", url="http://127.0.0.1", sandbox=True)
    job = build_job(document)
    values = {declared.name: declared.default for declared in job.inputs} | (inputs or {})
    sources = {job.file: source}
    made = plan(job, sources=sources, inputs=values, target=target, secrets=Secrets())
    return replace(made, times=Times(settle=15.0))


def including(outer: Plan, inner: str, *, inputs: JsonObject) -> Plan:
    """`outer`, with its first step's action replaced by the job `inner`, given as the text of its file."""
    document = load("inner.job.yaml", inner.encode())
    assert not isinstance(document, tuple), document
    first, *others = outer.steps
    step = replace(first.step, action=IncludedJob(job=build_job(document), inputs=inputs))
    return replace(outer, steps=(replace(first, step=step), *others))


def not_sent(message: str = "no connection") -> CallFailed:
    return CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E301", message=message))


def refused(
    status: int = 403, message: str = "no right", *, retry_after: float | None = None, unproved: bool = False
) -> CallFailed:
    trouble = Trouble(code="E205", message=message)
    return CallFailed(
        kind=FailureKind.REFUSED, trouble=trouble, status=status, retry_after=retry_after, unproved=unproved
    )


def unanswered(message: str = "no answer within 100 s") -> CallFailed:
    return CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E305", message=message))


@dataclass
class World:
    """What the site will answer. `answers` serve executes and elements in turn; None answers nothing in particular.

    Every execute that is answered, or is `unanswered` and not `lost`, leaves a row in the log; `statuses` are theirs in
    turn (`done` where none is given). `log` may be a failure that every reading gets, `elements_log` one that those of
    elements get. `later` are the statuses that a running row takes when it is read again; `crowd` those of processes
    that others start at the same time. A row is
    shown so many seconds after its call as `lags` says, in turn; of the calls in `never_begun`, counted from 1, there
    is none.
    `stop_at` maps the number of an effect to the reason why it is refused. `verdicts` are what is said of rows in
    doubt, in turn: `unknown` where nothing more is said, and a run that has ended is left as it is. `heard` is
    what is answered to each question whether the run is to stop: the name of a signal, or nothing.
    `families` are the versions of processes that have several, by the codes of these, and `library` a failure that
    every reading of them gets; else it takes no time here, and is no part of the story; rows bear those of `active`.
    `others` is what other runs know of a process; `tells_time`: answers bear the server's own time.
    A call takes `call_seconds`, or what `needs` says of it by its words;
    one of `needs` that is given less is cut off, and not answered.
    """

    answers: list["Json | CallFailed"] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    log: CallFailed | None = None
    elements_log: CallFailed | None = None
    path_refused: bool = False
    owner: str | None = "us"
    stop_at: dict[int, str] = field(default_factory=dict)
    over: bool = False
    heard: list[str] = field(default_factory=list)
    verdicts: list[JsonObject] = field(default_factory=list)
    call_seconds: float = 1.0
    needs: dict[str, float] = field(default_factory=dict)
    lost: bool = False
    late_rows: int = 0
    lags: list[float] = field(default_factory=list)
    never_begun: frozenset[int] = frozenset()
    families: dict[str, list[JsonObject]] = field(default_factory=dict)
    library: CallFailed | None = None
    active: dict[str, str] = field(default_factory=dict)
    others: JsonObject = field(default_factory=lambda: {"taken": [], "rival": False})
    executed: int = 0
    shown_from: dict[str, float] = field(default_factory=dict)
    crowd: list[str] = field(default_factory=list)
    rows: list[JsonObject] = field(default_factory=list)
    elements: list[list[Json]] = field(default_factory=list)
    says: bool = True
    immortal: bool = False
    records: dict[str, JsonObject] = field(default_factory=dict)
    deaf: bool = False
    runs_as: str = "us"
    tables: Callable[[QueryCall], Ending] | None = None
    tells_time: bool = True
    effects: list[Effect] = field(default_factory=list)
    t: float = 0.0

    def carry_out(self, made: Plan) -> "World":
        running = carry_out(made, RUN)
        outcome: Outcome | None = None
        while True:
            try:
                effect = running.send(outcome)
            except StopIteration:
                return self
            self.effects.append(effect)
            if isinstance(effect, PollStop):
                why = self.heard.pop(0) if self.heard else ""
                outcome = Stopped(t=self.t, why=why) if why else None
                continue
            if isinstance(effect, ResolveDoubt):
                if (effect.ended or effect.refused) and not self.verdicts:
                    return self
                outcome = Done(t=self.t, value=self.verdicts.pop(0) if self.verdicts else {"as": "unknown"})
                continue
            if isinstance(effect, QueryPeers):
                outcome = Done(t=self.t, value=self.known_of(effect))
                continue
            if self.library is None and _is_of_versions(effect):
                outcome = Done(t=self.t, value=self._of_versions(effect.call))
                continue
            outcome = None if isinstance(effect, Note) else self._outcome(effect)

    def _outcome(self, effect: Send | Sleep | Ask) -> Outcome:
        self.t += self._takes(effect)
        not_asked = sum(
            isinstance(done, Note | PollStop | QueryPeers) or _is_of_versions(done) for done in self.effects
        )
        asked = len(self.effects) - not_asked
        if asked in self.stop_at:
            return Stopped(t=self.t, why=self.stop_at[asked], over=self.over)
        match effect:
            case Send():
                ending = self.dated(self._in_time(effect))
                if isinstance(ending, CallFailed):
                    return Failed(t=self.t, failure=ending)
                return Done(t=self.t, value=ending.value, date=ending.date)
            case Sleep():
                return Done(t=self.t)
            case Ask():
                return Done(t=self.t, value=self.says)
            case _:
                assert_never(effect)

    def _takes(self, effect: Send | Sleep | Ask) -> float:
        if isinstance(effect, Sleep):
            return effect.seconds
        needed = self.needs.get(_call_in_words(effect)) if isinstance(effect, Send) else None
        return self.call_seconds if needed is None else min(needed, effect.seconds or needed)

    def answer(self, send: Send) -> Ending:
        """What a call comes to, its time taken."""
        self.t += self._takes(send)
        return self.dated(self._in_time(send))

    def dated(self, ending: Ending) -> Ending:
        """An answer bears the server's own time."""
        is_answer = isinstance(ending, Answered) or ending.status is not None
        return replace(ending, date=http_date(self.t)) if is_answer and self.tells_time else ending

    def _in_time(self, send: Send) -> Ending:
        if self.needs.get(_call_in_words(send), 0.0) <= send.seconds:
            return self._ending(send)
        if send.effect is StepEffect.READ and not isinstance(send.call, ExecuteCall):
            return unanswered()
        self.answers.insert(0, unanswered())
        return self._ending(send)

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        """As a caller of the local host."""
        assert gate.may_leave()
        return self.dated(self._ending(Send(key="", call=call, effect=StepEffect.READ, seconds=seconds)))

    def _ending(self, send: Send) -> Ending:  # noqa: C901  an arm a kind of call
        match send.call:
            case ExecuteCall():
                return self._execute(send.call)
            case QueryCall() if self.tables is not None:
                return self.tables(send.call)
            case ElementCall() | CompleteCall() | QueryCall():
                return self._next()
            case RunProcessCall():
                return self._run(send.call)
            case CancelCall():
                return self._cancel(send.call)
            case ChangeCall():
                return self._change(send.call)
            case ReadElements() | ReadElementData() if self.elements_log is not None:
                return self.elements_log
            case ReadElements() | ReadElementData():
                elements = self.elements if isinstance(send.call, ReadElements) else []
                return Answered(value=list(elements.pop(0)) if elements else [])
            case ReadRows(schema_ids=schema_ids):
                if self.path_refused and not schema_ids:
                    return refused(status=400, message="cannot filter by that")
                return self.log or self._rows(send.call)
            case ReadRow(process_id=process_id):
                return self.log or self._row(process_id)
            case FindProcess():
                return Answered(value="schema-1")
            case WhoAmI():
                return Answered(value=self.owner)
            case FindFamily() | ReadFamily() as asked:
                return self.library or Answered(value=self._of_versions(asked))
            case WhoIsUser() | ReadSchema():
                return Answered(value=None)
            case _:
                assert_never(send.call)

    def _of_versions(self, call: Call) -> Json:
        assert isinstance(call, FindFamily | ReadFamily)
        if isinstance(call, ReadFamily):
            return list(self.families.get(call.root, [family_of_one(call.root)]))
        return None if self.path_refused else self._root_of(call.process)

    def _root_of(self, process: str) -> str:
        """By the code of any version; the root's own code is its id here."""
        of_version = (root for root, members in self.families.items() if any(one["code"] == process for one in members))
        return next(of_version, process)

    def _next(self) -> Ending:
        answer = self.answers.pop(0) if self.answers else None
        return answer if isinstance(answer, CallFailed) else Answered(value=answer)

    def _run(self, call: RunProcessCall) -> Ending:
        """`answers` hold the results, `statuses` what the answer and the row say; `queued` has no id."""
        ending = self._next()
        if isinstance(ending, CallFailed):
            return ending
        status = self.statuses.pop(0) if self.statuses else "done"
        self.add_row(call.process, "running" if status == "queued" else status)
        process_id = None if status == "queued" else self.rows[0]["id"]
        return Answered(value={"process_id": process_id, "status": status, "results": ending.value})

    def _cancel(self, call: CancelCall) -> Ending:
        """A call that was refused, or never sent, cancels nothing; nor does any where the row is `immortal`."""
        ending = self._next()
        for row in self.rows:
            has_happened = not isinstance(ending, CallFailed) or ending.kind is FailureKind.UNANSWERED
            if row["id"] == call.process_id and has_happened and not self.immortal and row["status"] != "done":
                row["status"] = "cancelled"
        return ending

    def _change(self, call: ChangeCall) -> Ending:
        """`records` are those of all entities. A change that happens starts its process, unless it is `deaf`."""
        ending = self._next()
        if isinstance(ending, CallFailed) and (ending.kind is not FailureKind.UNANSWERED or self.lost):
            return ending
        if (call.change is Change.INSERT) is (call.id in self.records):
            return refused(status=409, message="there is one, or none")
        record: JsonObject = {"Id": call.id, **self.records.get(call.id, {}), **call.values}
        self.records[call.id] = record
        if call.change is Change.DELETE:
            del self.records[call.id]
        if call.starts is not None and not self.deaf:
            self.add_row(call.starts, self.statuses.pop(0) if self.statuses else "done", owner=self.runs_as)
            for status in self.crowd:
                self.add_row(call.starts, status, owner="them")
        if isinstance(ending, CallFailed):
            return ending
        return Answered(value=record if call.change is Change.INSERT else None)

    def read_record(self, call: QueryCall) -> Ending:
        found: list[Json] = [record for key, record in self.records.items() if f"Id eq {key}" == call.filter]
        return Answered(value={"records": found, "next": None})

    def _execute(self, call: ExecuteCall) -> Ending:
        ending = self._next()
        self.executed += 1
        if self.executed in self.never_begun:
            return ending
        if not isinstance(ending, CallFailed) or (ending.kind is FailureKind.UNANSWERED and not self.lost):
            self.add_row(call.process, self.statuses.pop(0) if self.statuses else "done")
            for status in self.crowd:
                self.add_row(call.process, status, owner="them")
        return ending

    def known_of(self, query: QueryPeers) -> JsonObject:
        del query
        return self.others

    def add_row(self, process: str, status: str = "done", *, owner: str = "us", parent: str | None = None) -> None:
        number = len(self.rows) + 1
        row: JsonObject = {
            "id": f"00000000-0000-0000-0000-{number:012d}",
            "name": process,
            "schema": f"schema of {self.active.get(process, process)}",
            "started": moment(self.t + number / 1_000_000),
            "completed": None,
            "status": status,
            "owner": owner,
            "parent": parent,
            "error": "Divide by zero" if status == "error" else None,
        }
        self.rows.insert(0, row)
        self.shown_from[str(row["id"])] = self.t + (self.lags.pop(0) if self.lags else 0.0)

    def _rows(self, call: ReadRows) -> Ending:
        since = call.since or ""
        found: list[Json] = [
            row
            for row in self.rows
            if (
                row["schema"] in call.schema_ids or (row["name"] == call.process and self.path_refused)
                if call.schema_ids
                else row["schema"] == f"schema of {call.process}"
            )
            and str(row["started"]) >= since
            and self.shown_from.get(str(row["id"]), 0.0) <= self.t
        ]
        if call.top != WATERMARK and self.late_rows > 0:
            self.late_rows -= 1
            found = []
        return Answered(value=found[: call.top])

    def _row(self, process_id: str) -> Ending:
        row = next((row for row in self.rows if row["id"] == process_id), None)
        if row is not None and row["status"] in UNDER_WAY and self.later:
            row["status"] = self.later.pop(0)
        return Answered(value=dict(row) if row else None)

    # what a test looks at

    @property
    def events(self) -> list[AnyEvent]:
        return [effect.event for effect in self.effects if isinstance(effect, Note)]

    @property
    def sent(self) -> list[str]:
        """The calls, each in two words."""
        return [
            _call_in_words(effect)
            for effect in self.effects
            if isinstance(effect, Send) and not _is_of_versions(effect)
        ]

    @property
    def pauses(self) -> list[float]:
        return [effect.seconds for effect in self.effects if isinstance(effect, Sleep)]

    @property
    def story(self) -> list[str]:
        """Everything that happened, a short line each."""
        return [line for effect in self.effects if (line := _in_words(effect)) is not None]

    @property
    def end(self) -> RunFinished:
        return next(event for event in reversed(self.events) if isinstance(event, RunFinished))

    def finished(self, key: str) -> StepFinished:
        """How a row has ended, the last time where it was settled later."""
        return next(event for event in reversed(self.events) if isinstance(event, StepFinished) and event.key == key)

    def statuses_of_rows(self) -> dict[str, str]:
        found = {event.key: event.status.value for event in self.events if isinstance(event, StepFinished)}
        skipped = {event.row.key: f"skipped: {event.reason}" for event in self.events if isinstance(event, StepSkipped)}
        return found | skipped


class Unlisted(World):
    """The library lists no process of this code; the log shows its starts, if any."""

    def _of_versions(self, call: Call) -> Json:
        return None if isinstance(call, FindFamily) else []


def family_of_one(process: str) -> JsonObject:
    """A process without versions, as the library lists it."""
    return member(process, active=True)


def member(code: str, *, version: int = 1, active: bool = False) -> JsonObject:
    """A version as the library lists it."""
    return {
        "code": code,
        "uid": f"design of {code}",
        "schema_id": f"schema of {code}",
        "version": version,
        "active": active,
        "enabled": True,
        "traced": True,
    }


def _is_of_versions(effect: Effect) -> TypeGuard[Send]:
    return isinstance(effect, Send) and isinstance(effect.call, FindFamily | ReadFamily)


def _call_in_words(send: Send) -> str:
    match send.call:
        case ExecuteCall(process=process):
            return f"execute {process}"
        case ElementCall(uid=uid):
            return f"element {uid[:8]}"
        case CompleteCall(uid=uid):
            return f"complete {uid[:8]}"
        case ReadRows(schema_ids=schema_ids, top=top):
            by_schema = schema_ids == ("schema-1",)
            return "read " + ("watermark" if top == WATERMARK else "rows") + (" by schema" if by_schema else "")
        case RunProcessCall(process=process):
            return f"run {process}"
        case CancelCall():
            return "cancel"
        case ChangeCall(change=change):
            return change.value
        case QueryCall(next=following):
            return "query next" if following else "query"
        case ReadElements() | ReadElementData():
            return "read elements" if isinstance(send.call, ReadElements) else "read element data"
        case ReadRow():
            return "read row"
        case FindProcess() | FindFamily() | ReadFamily() | ReadSchema():
            return "find process"
        case WhoAmI():
            return "who am i"
        case WhoIsUser():
            return "who is user"
        case _:
            assert_never(send.call)


def _in_words(effect: Effect) -> str | None:
    match effect:
        case Send():
            return None if _is_of_versions(effect) else f"send {_call_in_words(effect)}"
        case Sleep(seconds=seconds):
            return f"pause {seconds:g}"
        case Ask(text=text):
            return f"ask {text}"
        case ResolveDoubt(keys=keys, ended=ended):
            return f"judge {','.join(keys)}{' later' if ended else ''}"
        case Note(event=UndoStarted()):
            return "undo"
        case Note(event=UndoFinished(undo=undo)):
            return f"undo {undo}"
        case Note(event=StepStarted(row=row)):
            return f"begin {row.key}"
        case Note(event=StepFinished(key=key, status=status)):
            return f"end {key} {status}"
        case Note(event=StepSkipped(row=row, reason=reason)):
            return f"skip {row.key} {reason}"
        case Note(event=RunClosing(why=why)):
            return f"closing {why}"
        case Note(event=RunFinished(status=status, exit_code=code)):
            return f"finished {status} {int(code)}"
        case Note() | PollStop() | QueryPeers():
            return None
