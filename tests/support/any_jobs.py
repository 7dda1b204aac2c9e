"""Any job, with how a site meets it: what the property tests of the hosts draw.

A job is drawn as the content of its files, and goes through the real loading. Each process, element and entity of it
has a name of its own, and the site's answers go by that name and by how often it was asked and has answered. So a run
that broke off and is resumed meets the answers that an undisturbed one meets.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TypeVar, assert_never

from hypothesis import strategies as st
from journals import new_journal, reopened
from msgspec import Struct, field
from no_other_runs import NoOtherRuns
from stories import RUN, WATERMARK, family_of_one, not_sent, refused, unanswered

from runner.foundation.problems import Problem
from runner.foundation.values import Json, JsonObject, record
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.planning.plan import Plan, plan
from runner.project.job_files import JobFiles
from runner.reading.document import Document
from runner.reading.load import load
from runner.runs.events import CallSent, Line, TargetName
from runner.runs.journal import Journal
from runner.secrets.redact import Secrets
from runner.service.calls import (
    Answered,
    Call,
    CancelCall,
    ChangeCall,
    CompleteCall,
    ElementCall,
    Ending,
    ExecuteCall,
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

_T = TypeVar("_T")

FOREVER = 10_000
"""So often is a process looked at that never ends."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How the site meets one call: what it answers, and the row that the call leaves in the process log, if any.

    `looks`: how often the row is read as running before it is as `row` says; `hidden`: how many readings miss it.
    """

    ending: Ending
    row: str | None = None
    looks: int = 0
    hidden: int = 0


class AnyRun(Struct, frozen=True, kw_only=True):
    """One job, and how the site meets it. `answers` goes by the name of what is called, and of the turn.

    `waited` are processes that run before the job begins, by their ids. `log`: `open`, `refused` (for good), `by
    schema` (the filter by code is refused), `flaky` (every other reading is not answered), `anonymous` (nothing says
    who we are). `says` answers every `confirm`; `share` is that of its time which a call takes; `draws` are drawn for
    jitter, again and again.
    """

    files: Mapping[str, str]
    answers: Mapping[str, tuple[Outcome, ...]]
    waited: Mapping[str, Outcome] = field(default_factory=dict)
    log: str = "open"
    says: bool = True
    share: float = 0.01
    draws: Sequence[float] = (0.0,)

    def plan(self) -> Plan:
        """A plan with secrets of its own."""
        problems: list[Problem] = []
        files = JobFiles(called=lambda path: path.name, problems=problems, read=self._read, root=Path("/"))
        opened = files.open(Path("/any.job.yaml"))
        assert opened is not None, problems
        assert opened.job is not None, problems
        target = TargetName(name="here", url="http://127.0.0.1", sandbox=True)
        return plan(opened.job, sources=self.files, inputs={}, target=target, secrets=Secrets())

    def _read(self, path: Path, name: str) -> Document | tuple[Problem, ...]:
        return load(name, self.files[path.name].encode())


@st.composite
def any_runs(draw: st.DrawFn, *, timed: bool = False) -> AnyRun:
    """`timed`: with short times for the job, its steps and its end."""
    drawing = _Drawing(draw=draw, timed=timed)
    job = drawing.job("any", depth=0)
    if timed:
        job |= {"timeout": draw(st.sampled_from(["3s", "20s", "2m"]))}
        job |= {"cleanup_timeout": draw(st.sampled_from(["3s", "20s", "5m"]))}
    drawing.files["any.job.yaml"] = json.dumps(job)
    return AnyRun(
        files=drawing.files,
        answers=drawing.answers,
        waited=drawing.waited,
        log=draw(st.sampled_from(["open", "open", "open", "refused", "by schema", "flaky", "anonymous"])),
        says=draw(st.booleans()),
        share=draw(st.sampled_from([0.0, 0.01, 0.3, 1.0])) if timed else 0.01,
        draws=draw(st.sampled_from([(-1.0,), (0.0,), (1.0, -0.5)])),
    )


_VALUES: list[Json] = [7, 7, 7, "x", None, [1, {"Id": 2}]]
_ANSWERS = st.sampled_from(_VALUES).map(lambda value: Answered(value=value))
_FAILURES = st.sampled_from([not_sent(), not_sent(), refused(), refused(429), unanswered(), unanswered()])
_ROWS = st.sampled_from(["done", "done", "done", "error", "cancelled"])


@st.composite
def _answers(draw: st.DrawFn, *, logged: bool) -> tuple[Outcome, ...]:
    """What meets the calls of one name in turn; the last for ever."""
    endings = draw(st.lists(_ANSWERS | _FAILURES, min_size=1, max_size=3))
    return tuple(_with_row(draw, ending, logged=logged) for ending in endings)


def _with_row(draw: st.DrawFn, ending: Ending, *, logged: bool) -> Outcome:
    """An answered call leaves a row, but in rare cases; one that was not answered may leave one."""
    may = isinstance(ending, Answered) or ending.kind == "unanswered"
    if not logged or not may or not draw(st.integers(0, 4 if isinstance(ending, Answered) else 1)):
        return Outcome(ending=ending)
    looks, hidden = draw(st.sampled_from([0, 0, 0, 1, 3, FOREVER])), draw(st.sampled_from([0, 0, 1, FOREVER]))
    return Outcome(ending=ending, row=draw(_ROWS), looks=looks, hidden=hidden)


class _Drawing(Struct, kw_only=True):
    """Draws the parts of one job and of those that it includes; `_count` gives each part a name of its own."""

    draw: st.DrawFn
    timed: bool
    files: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[Outcome, ...]] = field(default_factory=dict)
    waited: dict[str, Outcome] = field(default_factory=dict)
    _count: int = 0

    def job(self, name: str, *, depth: int) -> JsonObject:
        known: list[str] = []
        steps = self._steps(known, depth=depth, most=4 if depth == 0 else 2)
        job: JsonObject = {"runner": 1, "name": name, "steps": steps}
        if self._one_in(2):
            job["finally"] = self._steps(known, depth=depth, most=2, final=True)
        if known and self._one_in(3):
            job["outputs"] = {"out": f"steps.{self._of(known)}.result"}
        return job

    def _steps(self, known: list[str], *, depth: int, most: int, final: bool = False) -> list[Json]:
        return [self._step(known, depth=depth, final=final) for _ in range(self.draw(st.integers(1, most)))]

    def _step(self, known: list[str], *, depth: int, final: bool) -> JsonObject:
        """`known` are the ids of steps whose results can be used; this one's is added if its result can be."""
        kinds = ["execute", "execute", "execute", "run", "element", "elements", "wait", "cancel", "signal"]
        kinds += ["query", "pause", "confirm"]
        kind = self._of([*kinds, "job"] if depth < 2 else kinds)
        step: JsonObject = {"id": f"s{self._number()}"}
        turns = kind not in {"wait", "cancel", "pause", "confirm"} and self._one_in(5)
        step |= self._around(kind, turns=turns)
        step |= self._action(kind, step, known, turns=turns, depth=depth)
        if not final and kind in {"execute", "run", "element", "job"} and self._one_in(3):
            step["undo"] = {"execute": {"process": self._process(turns=False)}}
        if self._one_in(4):
            step["if"] = self._of(["failure()", "always()", *(f'steps.{other}.status == "passed"' for other in known)])
        if "secret" not in step and (kind in {"run", "element", "query"} or "result" in record(step.get("execute"))):
            known.append(str(step["id"]))
        return step

    def _around(self, kind: str, *, turns: bool) -> JsonObject:
        around: JsonObject = {"for_each": ["a", "b"]} if turns else {}
        if self._one_in(3):
            around["on_failure"] = self._of(["continue", "ignore"])
        if kind in {"execute", "run", "element"}:
            around["effect"] = self._of(["once", "once", "idempotent", "read"])
        if kind in {"execute", "run"}:
            around["verify"] = self._of(["auto", "auto", "log", "none"])
        if kind in {"execute", "run", "element", "query"} and self._one_in(2):
            around["retry"] = self._retry(once=around.get("effect") == "once")
        if self.timed and kind not in {"pause", "elements"} and self._one_in(2):
            around["timeout"] = self._of(["2s", "30s"])
        elif kind in {"execute", "run", "wait"}:
            around["timeout"] = "20s"  # else one that never ends is followed for ten minutes
        if kind == "execute" and self._one_in(12):
            around["secret"] = True
        return around

    def _retry(self, *, once: bool) -> JsonObject:
        kinds = ["not_sent"] if once else ["not_sent", "refused", "unanswered", "expectation"]
        on: list[Json] = [*self.draw(st.lists(st.sampled_from(kinds), min_size=1, unique=True))]
        initial = self._of(["1s", "10s"])
        return {
            "max_attempts": self.draw(st.integers(1, 3)),
            "initial": initial,
            "jitter": self._of([0, 0.2, 1]),
            "on": on,
        }

    def _action(self, kind: str, step: JsonObject, known: list[str], *, turns: bool, depth: int) -> JsonObject:
        match kind:
            case "execute":
                return self._execute(step, known, turns=turns)
            case "run":
                process = self._process(turns=turns)
                run: JsonObject = {"process": process, "until": self._of(["done", "started"]), "results": ["Out"]}
                return {"run": run | self._parameters(known, turns=turns)}
            case "element":
                return {"element": self._element(given=step.get("effect") == "once")}
            case "elements":
                return {"elements": [self._element(given=self._one_in(2)) for _ in range(2)]}
            case "wait":
                return {"wait": {"process_id": self._waited(), "for": self._of(["completed", "ended", "parked"])}}
            case "cancel":
                return {"cancel": {"process_id": self._waited()}}
            case "signal":
                return {"signal": {"insert": {"entity": "Lead", "values": {"Name": "x"}}}}
            case "query":
                return {"query": {"entity": self._named("Entity", turns=turns, logged=False)}}
            case "pause":
                return {"pause": self._of(["1s", "10s"])}
            case "confirm":
                return {"confirm": f"go on with {step['id']}?"}
            case _:
                return {"job": {"file": self._included(depth=depth + 1)}}

    def _execute(self, step: JsonObject, known: list[str], *, turns: bool) -> JsonObject:
        """With a result, which may be expected to be something, and may be handed on."""
        execute: JsonObject = {"process": self._process(turns=turns), **self._parameters(known, turns=turns)}
        more: JsonObject = {"execute": execute}
        if self._one_in(2):
            execute |= {"result": "Out", "until": self._of(["done", "started"])}
            if self._one_in(2):
                of_log = ['process_status == "done"'] if step.get("verify") != "none" else []
                more["expect"] = [self._of(["result == 7", *of_log, "seconds < 1000"])]
            if self._one_in(2) and "secret" not in step:
                more["outputs"] = {"out": "result"}
        return more

    def _parameters(self, known: list[str], *, turns: bool) -> JsonObject:
        parameters: JsonObject = {"Turn": "{{ item }}"} if turns else {}
        if known and self._one_in(3):
            parameters["Of"] = f"{{{{ steps.{self._of(known)}.result }}}}"
        return {"parameters": parameters} if parameters else {}

    def _element(self, *, given: bool) -> Json:
        uid = self._guid()
        self.answers[uid] = self.draw(_answers(logged=False))
        return {"uid": uid, "parameters": {"Yes": True}} if given else uid

    def _waited(self) -> str:
        uid = self._guid()
        looks = self.draw(st.sampled_from([0, 1, 3, FOREVER]))
        self.waited[uid] = Outcome(ending=Answered(value=None), row=self.draw(_ROWS), looks=looks)
        return uid

    def _included(self, *, depth: int) -> str:
        name = f"inner{self._number()}"
        self.files[f"{name}.job.yaml"] = json.dumps(self.job(name, depth=depth))
        return f"{name}.job.yaml"

    def _process(self, *, turns: bool) -> str:
        return self._named("Usr", turns=turns, logged=True)

    def _named(self, kind: str, *, turns: bool, logged: bool) -> str:
        name = f"{kind}{self._number()}"
        for of_turn in (f"{name}/a", f"{name}/b") if turns else (name,):
            self.answers[of_turn] = self.draw(_answers(logged=logged))
        self.answers.setdefault(name, self.answers.get(f"{name}/a", ()))
        return name

    def _guid(self) -> str:
        return f"10000000-0000-0000-0000-{self._number():012d}"

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _of(self, among: Sequence[_T]) -> _T:
        return self.draw(st.sampled_from(among))

    def _one_in(self, count: int) -> bool:
        return self.draw(st.integers(0, count - 1)) == 0


class KilledError(Exception):
    """The program is gone at once, with whatever it was about to do."""


class Break(Struct, frozen=True, kw_only=True):
    """Where a program breaks off: after it has written so many lines, counted from when it began or was resumed.

    `left`: where that line says that a call is sent, not before the call has come to the site. `torn`: so many bytes
    of a further line are on disk.
    """

    lines: int
    left: bool = False
    torn: int = 0


class Row(Struct):
    """A row of the site's process log."""

    fields: JsonObject
    then: str
    looks: int
    hidden: int = 0

    def look(self) -> None:
        """It has been read: time goes on."""
        self.looks = max(0, self.looks - 1)
        if self.looks == 0 and self.fields["status"] == "running":
            self.fields["status"] = self.then


class AnySite(Struct, kw_only=True):
    """Meets the calls of a run, also of one that breaks off and is resumed: what has come to it stays.

    `arrived` are the calls that have come, as lines of the journal; `seconds` what each was
    given. An answer counts as given when the program lives to hear it.
    """

    run: AnyRun
    t: float = 0.0
    arrived: list[CallSent] = field(default_factory=list)
    given: list[tuple[Call, float]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    leads: set[str] = field(default_factory=set)
    journal: Journal | None = None
    stop: Stop | None = None
    stops_at: int | None = None
    dies: bool = False
    _heard: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for uid, outcome in self.run.waited.items():
            self._add_row(uid, "UsrOther", outcome)

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        """As a caller of the local host."""
        assert gate.may_leave()
        assert self.journal is not None
        sent = self.journal.lines[-1].event
        assert isinstance(sent, CallSent)
        self.arrived.append(sent)
        self.given.append((call, seconds))
        self.t += self.run.share * seconds
        ending = self._ending(call)
        if self.stop is not None and len(self.arrived) == self.stops_at:
            self.stop.request("SIGINT")
        if self.dies:
            raise KilledError
        self._hear(call)
        return ending

    def _ending(self, call: Call) -> Ending:  # noqa: C901  an arm a kind of call
        match call:
            case QueryCall(entity="Lead"):
                found: list[Json] = [{"Id": key} for key in self.leads if f"Id eq {key}" == call.filter]
                return Answered(value={"records": found, "next": None})
            case ExecuteCall() | RunProcessCall() | ElementCall() | CompleteCall() | QueryCall():
                return self._ending_of(call, self._outcome(call))
            case CancelCall(process_id=uid):
                return self._cancel(uid)
            case ChangeCall():
                return self._change(call)
            case WhoAmI() | WhoIsUser():
                return Answered(value=None if self.run.log == "anonymous" else "us")
            case _ if self.run.log == "refused":
                return refused()
            case _ if self.run.log == "flaky" and self._heard.get("log", 0) % 2 == 0:
                return unanswered()
            case ReadRows(schema_ids=()) if self.run.log == "by schema":
                return refused(status=400)
            case FindFamily(process=process):
                return Answered(value=None if self.run.log == "by schema" else process)
            case ReadFamily(root=root):
                return Answered(value=[family_of_one(root)])
            case ReadRows():
                since = call.since or ""
                rows = [row for row in self._rows_of(call) if not row.hidden and str(row.fields["started"]) >= since]
                return Answered(value=[{**row.fields} for row in rows[: call.top]])
            case ReadRow(process_id=uid):
                return Answered(value=next((dict(row.fields) for row in self.rows if row.fields["id"] == uid), None))
            case ReadElements() | ReadElementData():
                return Answered(value=[])
            case FindProcess() | ReadSchema():
                return Answered(value=f"schema of {call.process}" if isinstance(call, FindProcess) else None)
            case _:
                assert_never(call)

    def _change(self, call: ChangeCall) -> Ending:
        """An insert, which a second time is refused."""
        if call.id in self.leads:
            return refused(status=409)
        self.leads.add(call.id)
        return Answered(value={"Id": call.id})

    def _cancel(self, uid: str) -> Ending:
        for row in self.rows:
            if row.fields["id"] == uid and row.fields["status"] in {"running", "error"}:
                row.fields["status"] = row.then = "cancelled"
        return Answered(value=None)

    def _hear(self, call: Call) -> None:
        """The program has heard the answer: the next one is another, and time has gone on for what was looked at."""
        match call:
            case ExecuteCall() | RunProcessCall() | ElementCall() | CompleteCall() | QueryCall():
                name = self._name(call)
                self._heard[name] = self._heard.get(name, 0) + 1
                return
            case ReadRows(top=top) if top != WATERMARK:
                for row in self._rows_of(call):
                    row.hidden = max(0, row.hidden - 1)
            case ReadRow(process_id=uid):
                for row in self.rows:
                    if row.fields["id"] == uid:
                        row.look()
            case _:
                pass
        self._heard["log"] = self._heard.get("log", 0) + 1

    def _outcome(self, call: ExecuteCall | RunProcessCall | ElementCall | CompleteCall | QueryCall) -> Outcome:
        name = self._name(call)
        outcome = self.run.answers[name]
        return outcome[min(self._heard.get(name, 0), len(outcome) - 1)]

    def _ending_of(
        self, call: ExecuteCall | RunProcessCall | ElementCall | CompleteCall | QueryCall, outcome: Outcome
    ) -> Ending:
        row = (
            self._add_row(f"2{len(self.rows):07d}-0000-0000-0000-000000000000", call.process, outcome)
            if (isinstance(call, ExecuteCall | RunProcessCall) and outcome.row is not None)
            else None
        )
        match call, outcome.ending:
            case RunProcessCall(), Answered(value=value):
                status = "queued" if row is None or row.hidden else str(row.fields["status"])
                uid = None if row is None or row.hidden else row.fields["id"]
                return Answered(value={"process_id": uid, "status": status, "results": {"Out": value}})
            case QueryCall(), Answered(value=value):
                return Answered(value={"records": [{"Id": value}], "next": None})
            case _, ending:
                return ending

    def _add_row(self, uid: str, process: str, outcome: Outcome) -> Row:
        fields: JsonObject = {
            "id": uid,
            "name": process,
            "started": f"2026-01-31T09:00:00.{len(self.rows):03d}Z",
            "completed": None,
            "status": "running" if outcome.looks else outcome.row,
            "owner": "us",
            "error": None,
        }
        row = Row(fields=fields, then=str(outcome.row), looks=outcome.looks, hidden=outcome.hidden)
        self.rows.insert(0, row)
        return row

    def _rows_of(self, call: ReadRows) -> list[Row]:
        return [row for row in self.rows if row.fields["name"] == call.process]

    def _name(self, call: ExecuteCall | RunProcessCall | ElementCall | CompleteCall | QueryCall) -> str:
        match call:
            case ExecuteCall(process=process, parameters=given) | RunProcessCall(process=process, parameters=given):
                return f"{process}/{given['Turn']}" if "Turn" in given else process
            case ElementCall(uid=uid) | CompleteCall(uid=uid):
                return uid
            case QueryCall(entity=entity):
                return entity
            case _:
                assert_never(call)


class _Patient(Stop):
    """Waits in the time of the site, which takes none."""

    def __init__(self, site: AnySite, *, grace: float) -> None:
        super().__init__(grace=grace, clock=lambda: site.t)
        self._site = site

    def wait(self, seconds: float) -> None:
        left = seconds if self._ends is None else max(0.0, self._ends - self._site.t)
        self._site.t += min(seconds, left)


def carried(folder: Path, site: AnySite, *, judgement: Judgement | None = None, breaks: Break | None = None) -> bool:
    """Begin the site's run in `folder`, or go on with it where it has begun there. Gives whether it broke off."""
    made = site.run.plan()
    secrets = made.secrets
    journal = reopened(folder, secrets, now=_now) if folder.exists() else new_journal(folder, secrets, now=_now)
    stop = _Patient(site, grace=30.0)
    site.journal, site.stop, site.dies = journal, stop, False
    if breaks is not None:
        journal.listeners.append(_breaking(site, breaks))
    host = LocalHost(
        caller=site,
        journal=journal,
        stop=stop,
        turn=Turn(Turns()),
        ask=lambda _text, _stop, _seconds: site.run.says,
        owned=NoOtherRuns(),
        judgement=judgement or Judgement(),
        clock=lambda: site.t,
        draw=cycle(site.run.draws).__next__,
    )
    try:
        host.carry(made, RUN, earlier=tuple(journal.lines))
    except KilledError:
        return True
    finally:
        journal.close()
    return False


def _breaking(site: AnySite, breaks: Break) -> Callable[[Line], None]:
    left = breaks.lines

    def written(line: Line) -> None:
        nonlocal left
        left -= 1
        if left != 0:
            return
        if breaks.left and isinstance(line.event, CallSent):
            site.dies = True
        else:
            raise KilledError

    return written


def _now() -> str:
    return "2026-01-31T09:00:00.000Z"
