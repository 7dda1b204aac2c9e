"""The local host: what it writes before and after it performs an effect, and how it stops."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeGuard

import pytest
from journals import EVENTS, new_journal, read, reopened
from msgspec.structs import replace
from no_other_runs import NoOtherRuns
from stories import RUN, family_of_one, planned, unanswered

from runner.engine.effects import QueryPeers, Send
from runner.foundation.values import Json
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError
from runner.hosts.sent_calls import StartedCalls
from runner.hosts.stop import Stop
from runner.hosts.turns import HeldUp, LogReading, Turn, Turns
from runner.job.model import StepEffect
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallSent,
    RunFinished,
    RunStatus,
    StepFinished,
    Trouble,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import Person, VerdictBy, VerdictSource
from runner.runs.files.store import FileRunStore
from runner.runs.result import fold
from runner.runs.store import Others, OwnedRows, RowQuery, SentStarts, StoreError
from runner.secrets.redact import Secrets
from runner.service.calls import (
    MOST_ROWS,
    SESSION_REFUSED,
    Answered,
    Call,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    FindFamily,
    ReadFamily,
    ReadRows,
    RunProcessCall,
)
from runner.service.gate import Gate
from runner.service.outages import not_wanted

NOTHING = Answered(value=None)


@dataclass
class Site:
    """Answers every call alike, and looks into the journal's file at that moment."""

    ending: Ending = NOTHING
    file: Path | None = None
    seen: list[str] = field(default_factory=list)
    then: Callable[[], None] = lambda: None

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        del seconds
        assert gate.may_leave()
        self.seen.append(self.file.read_text().splitlines()[-1] if self.file else "")
        self.then()
        match call:
            case FindFamily() if self.ending is NOTHING:
                return Answered(value=call.process)
            case ReadFamily() if self.ending is NOTHING:
                return Answered(value=[family_of_one(call.root)])
            case _:
                return self.ending


class Impatient(Stop):
    """The clock of the host advances by itself."""

    def wait(self, seconds: float) -> None: ...


def host(folder: Path, site: Site, *, stop: Stop | None = None, secrets: Secrets | None = None) -> LocalHost:
    ticks = count()
    journal = new_journal(folder, secrets or Secrets(), now=lambda: "2026-01-31T09:00:00.000Z")
    site.file = folder / EVENTS
    return LocalHost(
        caller=site,
        journal=journal,
        stop=stop or Impatient(grace=30.0),
        turn=Turn(Turns()),
        ask=lambda _text, _stop, _seconds: True,
        owned=NoOtherRuns(),
        clock=lambda: float(next(ticks)),
        draw=lambda: 0.0,
    )


ONE = "  - id: a\n    execute: {process: UsrA}\n    verify: none\n"


def test_the_call_is_in_the_journal_before_it_leaves(tmp_path: Path) -> None:
    site = Site()
    host(tmp_path / "run", site).carry(planned(ONE), RUN)
    assert len(site.seen) == 1
    assert '"type":"call.sent"' in site.seen[0]
    assert '"effect":"once"' in site.seen[0]


def _replace_by_copy(events: Path) -> None:
    content = events.read_bytes()
    events.unlink()
    events.write_bytes(content)


def _replace_folder_by_file(events: Path) -> None:
    events.parent.rename(events.parent.with_name("moved"))
    events.parent.write_bytes(b"")


@pytest.mark.parametrize(
    "lose",
    [
        Path.unlink,
        _replace_by_copy,
        _replace_folder_by_file,
        lambda events: events.parent.rename(events.parent.with_name("moved")),
    ],
)
def test_after_its_journal_was_moved_or_deleted_a_run_starts_nothing(
    tmp_path: Path, lose: Callable[[Path], object]
) -> None:
    site = Site()

    def lost() -> None:
        lose(tmp_path / "run" / EVENTS)
        site.file = None

    site.then = lost
    with pytest.raises(StoreError, match=r"events\.jsonl was moved or deleted while the run was under way"):
        host(tmp_path / "run", site).carry(planned(ONE + ONE.replace("id: a", "id: b")), RUN)
    assert len(site.seen) == 1


def test_the_run_is_on_disk_before_it_takes_a_turn_for_which_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    class Taken(Turn):
        def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
            happened.append(f"turn of {process}")
            return super().take(process, stop, held_up=held_up)

    monkeypatch.setattr("os.fsync", lambda _: happened.append("sync"))
    carrying = host(tmp_path / "run", Site(then=lambda: happened.append("call")))
    carrying.turn = Taken(Turns())
    carrying.carry(planned(ONE.replace("none", "auto")), RUN)
    first = happened.index("turn of UsrA")
    assert happened[:first].count("sync") == 2
    assert happened[first:].count("sync") == 2, "the call, and the end of the run"


@pytest.mark.parametrize(
    ("t", "is_used"),
    [
        pytest.param(10.4, True, id="while it waited"),
        pytest.param(10.1, False, id="too long ago"),
        pytest.param(9.95, False, id="before it waited"),
    ],
)
def test_a_run_that_waits_for_its_turn_need_not_read_again_what_was_just_read(
    tmp_path: Path,
    t: float,
    is_used: bool,  # noqa: FBT001
) -> None:
    asked: list[Call] = []

    class Later(Turn):
        def take(self, process: str, stop: Stop, *, held_up: HeldUp = lambda _: None) -> bool:
            if is_new := self._process is None:
                clock.now += 0.5 if t > 10.0 else 0.1
            super().take(process, stop, held_up=held_up)
            known = LogReading(call=ReadRows(process=process, top=20, reasons=False), answer=Answered(value=[]), t=t)
            self.handed_on = known if is_new else None
            return True

    @dataclass
    class Clock:
        now: float = 10.0

    @dataclass
    class Asked(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            asked.append(call)
            super().perform(call, seconds, gate=gate)
            return NOTHING

    clock = Clock()
    carrying = host(tmp_path / "run", Asked())
    carrying.clock, carrying.turn = lambda: clock.now, Later(Turns())
    carrying.carry(planned(ONE.replace("none", "auto")), RUN)
    assert sum(isinstance(call, ReadRows) and call.top == 20 for call in asked) == (0 if is_used else 1)
    (start,) = (line.event for line in read(tmp_path / "run").lines if is_start(line.event))
    assert start.t == pytest.approx(0.1 if is_used else 0.0), "the active time tells how old the reading is"


def is_start(event: AnyEvent) -> TypeGuard[CallSent]:
    return isinstance(event, CallSent) and event.effect == "once"


def test_every_outcome_is_journaled_before_the_engine_sees_it(tmp_path: Path) -> None:
    host(tmp_path / "run", Site()).carry(planned(ONE), RUN)
    types = [type(line.event).__name__ for line in read(tmp_path / "run").lines]
    assert types == [
        "RunStarted",
        "StepStarted",
        "CallSent",
        "CallAnswered",
        "StepFinished",
        "RunClosing",
        "RunFinished",
    ]


def test_a_failed_call_is_journaled_with_all_that_the_engine_was_reported(tmp_path: Path) -> None:
    host(tmp_path / "run", Site(ending=unanswered())).carry(planned(ONE), RUN)
    text = (tmp_path / "run" / EVENTS).read_text()
    assert '"type":"attempt.failed"' in text
    assert '"kind":"unanswered"' in text
    assert fold(read(tmp_path / "run").lines).exit_code == 4


@pytest.mark.parametrize(("secret", "kept"), [("", True), ("    secret: true\n", False)])
def test_what_a_refusal_says_is_kept_but_for_a_secret_step(tmp_path: Path, secret: str, kept: bool) -> None:  # noqa: FBT001
    refused = replace(unanswered(), body="at Terrasoft.Run() abcdefgh-12345678")
    made = planned(ONE + secret)
    host(tmp_path / "run", Site(ending=refused), secrets=made.secrets).carry(made, RUN)
    bodies = [line.event.body for line in read(tmp_path / "run").lines if isinstance(line.event, AttemptFailed)]
    assert bodies[0] == (refused.body if kept else None)


def test_the_answer_of_a_secret_step_is_not_journaled(tmp_path: Path) -> None:
    site = Site(ending=Answered(value="abcdefgh-12345678"))
    made = planned(
        "  - id: a\n    secret: true\n    execute: {process: UsrA, result: Key}\n    verify: none\n"
        "    expect: [result == 1]\n"
    )
    host(tmp_path / "run", site, secrets=made.secrets).carry(made, RUN)
    assert "abcdefgh" not in (tmp_path / "run" / EVENTS).read_text()


def test_what_is_made_of_the_answer_of_a_secret_step_is_a_secret_wherever_it_comes_back(tmp_path: Path) -> None:
    made = planned(
        "  - id: a\n    secret: true\n    execute: {process: UsrA, result: Key}\n    verify: none\n"
        "    outputs: {key: \"result | replace('h-', 'x')\"}\n"
        "  - id: b\n    execute: {process: UsrB, result: Echo}\n    verify: none\n"
    )
    endings = [Answered(value="it was abcdefgx12345678"), Answered(value="abcdefgh-12345678")]
    site = Site()
    site.then = lambda: setattr(site, "ending", endings.pop())
    host(tmp_path / "run", site, secrets=made.secrets).carry(made, RUN)
    text = (tmp_path / "run" / EVENTS).read_text()
    assert ("it was " in text, "abcdefgx" in text) == (True, False)


@pytest.mark.parametrize(
    ("effect", "durable"), [("once", [True, True]), ("idempotent", [True, False]), ("read", [False, False])]
)
def test_a_run_is_on_disk_before_the_first_call_that_changes_something(
    effect: str, durable: list[bool], tmp_path: Path
) -> None:
    """One that is lost is made anew, with other Ids for its records; what only reads may be made anew."""
    carrying = host(tmp_path / "run", Site())
    written, found = carrying.journal.append, []

    def append(event: AnyEvent, *, durable: bool = False) -> None:
        if durable or isinstance(event, CallSent):
            found.append(durable)
        written(event, durable=durable)

    carrying.journal.append = append  # type: ignore[method-assign]  # what is asked of the disk cannot be read back
    step = f"  - execute: {{process: UsrA}}\n    effect: {effect}\n    verify: none\n"
    carrying.carry(planned(step * 2), RUN)
    assert found == durable


def test_nothing_is_sent_once_the_journal_cannot_be_written(tmp_path: Path) -> None:
    site = Site()
    carrying = host(tmp_path / "run", site)
    written = carrying.journal.append

    def full(event: object, *, durable: bool = False) -> None:
        if durable:
            raise StoreError("No space left on device")
        written(event)  # type: ignore[arg-type]  # whatever the host hands on

    carrying.journal.append = full  # type: ignore[method-assign]  # a disk that fills up between two lines
    with pytest.raises(StoreError):
        carrying.carry(planned(ONE), RUN)
    assert site.seen == []


def test_a_stop_during_a_call_lets_it_answer_and_turns_to_finally(tmp_path: Path) -> None:
    stop = Stop(grace=30.0)
    site = Site()
    site.then = lambda: stop.request("SIGTERM")
    second = "  - id: b\n    execute: {process: UsrB}\n    verify: none\n"
    steps = ONE + second + "finally:\n" + ONE.replace("id: a", "id: f")
    host(tmp_path / "run", site, stop=stop).carry(planned(steps), RUN)
    result = fold(read(tmp_path / "run").lines)
    assert {step.key: step.status.value for step in result.steps} == {"a": "passed", "b": "skipped", "f": "passed"}
    assert (result.status, result.exit_code) == ("cancelled", 143)


def test_a_stop_that_comes_while_the_last_answer_is_stored_asks_nothing_more_of_the_site(tmp_path: Path) -> None:
    """Not even for a session: a client signs in before it asks whether its call may leave."""
    site = Site()

    class Late(Impatient):
        def goes_on(self) -> bool:
            if site.seen:
                self.request("SIGTERM")
            return super().goes_on()

    two = ONE + "  - {id: b, execute: {process: UsrB}, verify: none}\n"
    host(tmp_path / "run", site, stop=Late(grace=30.0)).carry(planned(two), RUN)
    result = fold(read(tmp_path / "run").lines)
    assert (result.status, result.exit_code, len(site.seen)) == ("cancelled", 143, 1)


def test_a_call_that_was_answered_before_a_stop_is_verified_by_one_reading(tmp_path: Path) -> None:
    stop = Stop(grace=30.0)

    class Logged(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            del seconds
            assert gate.may_leave()
            match call:
                case ReadRows(top=200):
                    row: Json = {"id": "r", "started": "2026", "status": "done", "owner": None, "error": None}
                    return Answered(value=[row])
                case ReadRows():
                    return Answered(value=[])
                case ExecuteCall():
                    stop.request("SIGINT")
            return NOTHING

    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrB}\n"
    host(tmp_path / "run", Logged(), stop=stop).carry(planned(steps), RUN)
    result = fold(read(tmp_path / "run").lines)
    assert {step.key: step.status.value for step in result.steps} == {"a": "passed", "b": "skipped"}


def test_each_answer_that_nobody_else_has_a_row_is_a_line_and_is_played_back_as_it_was(tmp_path: Path) -> None:
    """Without a line of its own, a later answer about the row would be played back to the first question."""
    asked: list[RowQuery] = []

    class Counting(NoOtherRuns):
        def ask(self, query: RowQuery) -> Others:
            asked.append(query)
            return Others()

    class Rival(NoOtherRuns):
        def ask(self, query: RowQuery) -> Others:
            return Others(taken=query.rows, rival=True)

    class Logged(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            super().perform(call, seconds, gate=gate)
            row: Json = {"id": "r", "started": "2026", "status": "done", "owner": None, "error": None}
            return Answered(value=[row] if isinstance(call, ReadRows) and call.top == MOST_ROWS else [])

    steps = planned(ONE.replace("none", "auto"))
    carrying = host(tmp_path / "run", Logged())
    carrying.owned = Counting()
    carrying.carry(steps, RUN)
    carrying.journal.close()
    lines = [line.event for line in read(tmp_path / "run").lines]
    answers = [number for number, event in enumerate(lines) if isinstance(event, Asked)]
    assert len(answers) == len(asked) > 0
    content = (tmp_path / "run" / EVENTS).read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / EVENTS).write_bytes(b"".join(content[: answers[-1] + 1]))
    again = host(tmp_path / "other", Logged())
    again.journal = reopened(tmp_path / "run", Secrets(), now=lambda: "2026-01-31T09:00:00.000Z")
    again.owned = Rival()
    again.carry(steps, RUN, earlier=tuple(again.journal.lines))
    assert [step.status.value for step in fold(read(tmp_path / "run").lines).steps] == ["passed"]
    assert fold(read(tmp_path / "run").lines).steps[0].verified is True


def test_after_the_grace_nothing_more_is_performed(tmp_path: Path) -> None:
    stop = Stop(grace=0.0)
    stop.request("SIGINT")
    site = Site()
    steps = ONE + "finally:\n" + ONE.replace("id: a", "id: f")
    host(tmp_path / "run", site, stop=stop).carry(planned(steps), RUN)
    assert site.seen == []
    left = fold(read(tmp_path / "run").lines)
    assert (left.exit_code, left.finished, left.closing) == (130, False, True)


def test_what_the_end_of_the_grace_keeps_from_undo_and_finally_is_left_to_resume(tmp_path: Path) -> None:
    stop = Stop(grace=0.0)
    site = Site(then=lambda: stop.request("SIGINT"))
    steps = ONE + "    undo: {execute: {process: UsrBack}}\nfinally:\n" + ONE.replace("id: a", "id: f")
    carrying = host(tmp_path / "run", site, stop=stop)
    carrying.carry(planned(steps), RUN)
    carrying.journal.close()
    assert len(site.seen) == 1
    again = host(tmp_path / "other", site)
    again.journal = reopened(tmp_path / "run")
    site.file, site.then = tmp_path / "run" / EVENTS, lambda: None
    again.carry(planned(steps), RUN, earlier=tuple(again.journal.lines))
    assert [*dict.fromkeys(json.loads(line)["key"] for line in site.seen)] == ["a", "undo/a", "f"]
    ended = fold(read(tmp_path / "run").lines)
    assert (ended.finished, ended.undo) == (True, "complete")


def test_a_step_in_which_the_grace_ends_comes_to_its_end_and_only_what_follows_is_left(tmp_path: Path) -> None:
    stop, site = Stop(grace=0.0), Site()
    site.then = lambda: stop.request("SIGINT") if '"effect":"once"' in site.seen[-1] else None
    steps = ONE.replace("none", "auto") + "finally:\n" + ONE.replace("id: a", "id: f")
    host(tmp_path / "run", site, stop=stop).carry(planned(steps), RUN)
    left = fold(read(tmp_path / "run").lines)
    ended = [line.event.key for line in read(tmp_path / "run").lines if isinstance(line.event, StepFinished)]
    assert (ended, left.closing, left.finished) == (["a"], True, False)


def test_a_run_that_was_ordered_to_stop_ends_without_its_finally_when_the_grace_is_over(tmp_path: Path) -> None:
    """A worker gives it back to nobody: who ordered it wants it to end."""
    stop = Stop(grace=0.0)
    stop.request("cancelled", ordered_by=Person(user="ada"))
    steps = ONE + "finally:\n" + ONE.replace("id: a", "id: f")
    host(tmp_path / "run", Site(), stop=stop).carry(planned(steps), RUN)
    ended = fold(read(tmp_path / "run").lines)
    assert (ended.finished, ended.stop_ordered_by) == (True, Person(user="ada"))


def test_a_question_of_finally_that_a_stop_ends_keeps_nothing_from_what_follows(tmp_path: Path) -> None:
    stop, site = Stop(grace=60.0), Site()

    def interrupted(_text: object, _stop: object, _seconds: object) -> None:
        stop.request("SIGINT")

    steps = ONE + "finally:\n  - confirm: Shall we?\n" + ONE.replace("id: a", "id: f")
    carrying = host(tmp_path / "run", site, stop=stop)
    carrying.ask = interrupted
    carrying.carry(planned(steps), RUN)
    assert (fold(read(tmp_path / "run").lines).finished, len(site.seen)) == (True, 2)


def test_a_stop_ends_a_pause_at_once(tmp_path: Path) -> None:
    stop = Stop(grace=30.0)
    site = Site(ending=unanswered(), then=lambda: stop.request("SIGINT"))
    step = (
        "  - id: a\n    execute: {process: UsrA, result: R}\n    verify: none\n    effect: read\n"
        "    retry: {max_attempts: 3, initial: 1h, max: 1h, on: [unanswered]}\n"
    )
    host(tmp_path / "run", site, stop=stop).carry(planned(step), RUN)
    assert len(site.seen) == 1


def test_a_pause_of_finally_that_a_stop_ends_says_so_and_what_follows_is_carried_out(tmp_path: Path) -> None:
    class Interrupted(Stop):
        def wait(self, seconds: float) -> None:
            del seconds
            self.request("SIGINT")

    site = Site()
    steps = "  - confirm: Shall we?\nfinally:\n  - id: p\n    pause: 1m\n" + ONE.replace("id: a", "id: f")
    host(tmp_path / "run", site, stop=Interrupted(grace=60.0)).carry(planned(steps), RUN)
    paused = next(step for step in fold(read(tmp_path / "run").lines).steps if step.key == "p")
    assert (paused.status.value, len(site.seen)) == ("passed", 1)
    (warning,) = paused.warnings
    assert warning.startswith("it was cut short after ")


def test_jitter_moves_a_pause_by_a_share_of_it(tmp_path: Path) -> None:
    waited: list[float] = []

    class Watch(Stop):
        def wait(self, seconds: float) -> None:
            waited.append(seconds)

    site = Site(ending=unanswered())
    step = (
        "  - id: a\n    execute: {process: UsrA, result: R}\n    verify: none\n    effect: read\n"
        "    retry: {max_attempts: 2, initial: 10s, jitter: 0.5, on: [unanswered]}\n"
    )
    for draw, expected in ((-1.0, 5.0), (0.0, 10.0), (1.0, 15.0)):
        carrying = host(tmp_path / f"run{draw}", site, stop=Watch(grace=1.0))
        carrying.draw = lambda draw=draw: draw  # type: ignore[misc]  # mypy does not type a lambda's default
        carrying.carry(planned(step), RUN)
        assert waited.pop() == expected


@pytest.mark.parametrize(("says_yes", "how"), [(False, VerdictSource.QUESTION), (True, VerdictSource.YES)])
def test_an_answer_to_a_question_says_who_gave_it(tmp_path: Path, how: VerdictSource, *, says_yes: bool) -> None:
    carrying = host(tmp_path / "run", Site())
    carrying.person, carrying.says_yes = Person(user="ada", ci_user=None), says_yes
    carrying.carry(planned("  - id: a\n    confirm: Shall we?\n"), RUN)
    (asked,) = [line.event for line in read(tmp_path / "run").lines if isinstance(line.event, Asked)]
    assert (asked.value, asked.by) == (True, VerdictBy(how=how, user="ada", ci_user=None))


def test_waits_for_a_lock_come_after_the_beginning_of_the_run(tmp_path: Path) -> None:
    waited = Waited(key="", t=0.0, what=WaitsFor.LOCK, seconds=2.5, name="billing")
    carrying = host(tmp_path / "run", Site())
    carrying.waits = (waited,)
    carrying.carry(planned(ONE), RUN)
    lines = read(tmp_path / "run").lines
    assert isinstance(lines[1].event, Waited)
    assert replace(lines[1].event, t=0.0) == waited
    assert isinstance(lines[-1].event, RunFinished)
    assert lines[-1].event.status is RunStatus.PASSED


class NotedRows(NoOtherRuns):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        del process, seconds, is_read
        self.notes.append(f"{key} begins")

    def answer(self, key: str) -> None:
        self.notes.append(f"{key} is answered")

    def queue(self, key: str) -> None:
        self.notes.append(f"{key} is queued")

    def time_out(self, key: str) -> None:
        self.notes.append(f"{key} is not answered")

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        self.notes.append(f"{key} never began" if is_certain else f"{key} is set aside")

    def flush(self) -> None:
        self.notes.append("all is stored")


@pytest.mark.parametrize(("effect", "by_itself"), [("once", True), ("read", False)])
def test_a_start_that_must_happen_only_once_is_stored_by_itself_also_where_nobody_reads_its_row(
    tmp_path: Path, effect: str, *, by_itself: bool
) -> None:
    class Begun(NotedRows):
        def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
            found.append(is_read)
            super().begin(key, process, seconds=seconds, is_read=is_read)

    found: list[bool] = []
    carrying = host(tmp_path / "run", Site())
    carrying.owned = Begun()
    carrying.carry(planned(f"{ONE}    effect: {effect}\n"), RUN)
    assert found == [by_itself]


def test_a_call_whose_start_cannot_be_stored_again_does_not_leave_and_is_sent_when_the_run_is_resumed(
    tmp_path: Path,
) -> None:
    class FullRows(NotedRows):
        def leave(self, key: str) -> None:
            raise StoreError(f"rows.sqlite: database is locked, {key}")

    carrying = host(tmp_path / "run", site := Site())
    carrying.owned = rows = FullRows()
    with pytest.raises(StoreError):
        carrying.carry(planned(ONE), RUN)
    assert site.seen == []
    assert rows.notes == ["a begins", "a never began", "all is stored"]
    failed = [line.event for line in read(tmp_path / "run").lines][-1]
    assert isinstance(failed, AttemptFailed)
    assert failed.kind == "not_sent"
    assert failed.error.message == (
        "the call was not sent: its start could not be written down: rows.sqlite: database is locked, a"
    )
    carrying.journal.close()
    journal = reopened(tmp_path / "run")
    resumed = host(tmp_path / "other", site)
    resumed.journal, site.file = journal, tmp_path / "run" / EVENTS
    resumed.carry(planned(ONE), RUN, earlier=tuple(journal.lines))
    assert len(site.seen) == 1, "it is sent now"
    assert fold(journal.lines).status is RunStatus.PASSED


@pytest.mark.parametrize(
    ("call", "value", "is_over"),
    [
        (RunProcessCall(process="UsrA", parameters={}), {"process_id": None, "status": "queued"}, False),
        (RunProcessCall(process="UsrA", parameters={}), {"process_id": "p", "status": "done"}, True),
        (ExecuteCall(process="UsrA", parameters={}), {"process_id": None, "status": "queued"}, True),
    ],
)
def test_other_runs_count_a_start_that_was_queued_beyond_its_answer(call: Call, value: Json, *, is_over: bool) -> None:
    starts = StartedCalls(owned=(rows := NotedRows()), turn=Turn(Turns()))
    send = Send(key="a", call=call, effect=StepEffect.ONCE, seconds=10.0)
    starts.begin(send)
    starts.end(send, Answered(value=value))
    assert rows.notes == ["a begins", "a is answered" if is_over else "a is queued"]


@pytest.mark.parametrize("is_resumed", [True, False])
def test_a_start_that_has_begun_nothing_is_forgotten_unless_it_may_be_another_since_the_run_broke_off(
    *, is_resumed: bool
) -> None:
    starts = StartedCalls(owned=(rows := NotedRows()), turn=Turn(Turns()))
    starts.ask(QueryPeers(key="a", codes=(), nothing_began=True), is_resumed=is_resumed)
    assert rows.notes == ["a is set aside"] * (not is_resumed)
    starts.ask(QueryPeers(key="b", codes=(), still_waits=True), is_resumed=is_resumed)
    assert rows.notes[-1] == "b is queued"


def test_events_that_lack_a_start_that_was_sent_are_not_resumed_unless_it_may_happen_twice(tmp_path: Path) -> None:
    class SentRows(NotedRows):
        def sent(self) -> SentStarts:
            return SentStarts(calls={"a": 1, "b[1]": 1}, certain=frozenset({"a", "b[1]"}))

    steps = ONE + "  - id: b\n    for_each: [1, 2]\n    execute: {process: UsrA}\n"
    carrying = host(tmp_path / "run", Site())
    carrying.carry(planned(steps), RUN)
    lines = carrying.journal.lines
    before = [line for line in lines if getattr(line.event, "key", "") != "b[1]"]
    sent = next(line for line in lines if isinstance(line.event, CallSent) and line.event.key == "b[1]")
    reading = replace(sent.event, call={"kind": "read_rows"})
    before.append(replace(sent, event=reading))
    starts = StartedCalls(owned=SentRows(), turn=Turn(Turns()))
    assert not starts.lacked_by(planned(steps).job, lines)
    with pytest.raises(ForgottenError, match=r"later it has sent `b\[1\]`, which is not in them"):
        starts.lacked_by(planned(steps).job, before)
    assert not starts.lacked_by(planned(steps + "    effect: read\n").job, before)
    assert not starts.lacked_by(planned(steps).job, ())


def test_other_runs_do_not_count_a_start_that_the_journal_could_not_take(tmp_path: Path) -> None:
    carrying = host(tmp_path / "run", Site())
    carrying.owned = rows = NotedRows()
    written = carrying.journal.append

    def full(event: AnyEvent, *, durable: bool = False) -> None:
        if isinstance(event, CallSent):
            raise StoreError("No space left on device")
        written(event, durable=durable)

    carrying.journal.append = full  # type: ignore[method-assign]  # a disk that fills up between two lines
    with pytest.raises(StoreError):
        carrying.carry(planned(ONE), RUN)
    assert rows.notes == ["a begins", "a never began", "all is stored"]


def test_that_a_start_was_answered_is_stored_with_the_next_or_before_anything_that_may_take_long(
    tmp_path: Path,
) -> None:
    steps = [ONE.replace("id: a", f"id: {key}") for key in "abc"]
    steps.insert(2, "  - id: rest\n    pause: 1s\n")
    carrying = host(tmp_path / "run", Site())
    rows = NotedRows()
    carrying.owned = rows
    carrying.carry(planned("".join(steps)), RUN)
    assert rows.notes == [
        *("a begins", "a is answered", "b begins", "b is answered", "all is stored"),
        *("c begins", "c is answered", "all is stored"),
    ]


def test_other_runs_are_asked_for_more_time_where_a_call_was_not_answered(tmp_path: Path) -> None:
    carrying = host(tmp_path / "run", Site(ending=unanswered()))
    carrying.owned = rows = NotedRows()
    carrying.carry(planned(ONE), RUN)
    assert rows.notes[:2] == ["a begins", "a is not answered"]


def test_it_is_stored_too_where_the_run_breaks_off(tmp_path: Path) -> None:
    def break_down() -> None:
        raise StoreError("no space")

    carrying = host(tmp_path / "run", site := Site())
    rows = NotedRows()
    carrying.owned = rows
    site.then = break_down
    with pytest.raises(StoreError):
        carrying.carry(planned(ONE), RUN)
    assert rows.notes == ["a begins", "all is stored"]


def test_other_runs_do_not_count_a_start_that_was_stored_and_is_not_wanted_any_more(tmp_path: Path) -> None:
    class Reconnected(Site):
        """The server has closed the connection while the start was stored; a stop comes while another is opened."""

        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            super().perform(call, seconds, gate=gate)
            stop.request("SIGTERM")
            assert not gate.may_leave()
            return not_wanted("here")

    stop = Stop(grace=30.0)
    carrying = host(tmp_path / "run", Reconnected(), stop=stop)
    carrying.owned = rows = NotedRows()
    carrying.carry(planned(ONE), RUN)
    assert rows.notes[:2] == ["a begins", "a never began"]


class Lapsed(Site):
    """The session has lapsed at the first start. At the start `killed_at` the runner is killed."""

    starts: int = 0
    killed_at: int = 0

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        known = super().perform(call, seconds, gate=gate)
        if not isinstance(call, ExecuteCall):
            return Answered(value=[]) if isinstance(call, ReadRows) else known
        self.starts += 1
        if self.starts == self.killed_at:
            raise StoreError("killed")
        lapsed = Trouble(code=SESSION_REFUSED, message="the session is not accepted")
        failed = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=lapsed)
        return failed if self.starts == 1 else NOTHING


AUTO = ONE.replace("none", "auto")


def starts_in(notes: list[str]) -> list[str]:
    return [note for note in notes if note.startswith("a ")]


def test_a_start_at_which_the_run_broke_off_counts_for_other_runs_though_another_was_turned_away_before(
    tmp_path: Path,
) -> None:
    steps = f"{AUTO}    effect: idempotent\n"
    carrying = host(tmp_path / "run", site := Lapsed())
    site.killed_at = 2
    carrying.owned = rows = NotedRows()
    with pytest.raises(StoreError, match="killed"):
        carrying.carry(planned(steps), RUN)
    assert starts_in(rows.notes) == ["a begins", "a is answered", "a is set aside", "a begins"]
    carrying.journal.close()
    journal = reopened(tmp_path / "run")
    resumed = host(tmp_path / "other", site)
    resumed.journal, site.file = journal, tmp_path / "run" / EVENTS
    resumed.owned = rows = NotedRows()
    resumed.carry(planned(steps), RUN, earlier=tuple(journal.lines))
    assert site.starts == 3
    assert starts_in(rows.notes) == ["a begins", "a is answered", "a is queued"], "the log has no row of it"


def older_copy_resumed(ended: LocalHost, site: Site, steps: str, *, folder: Path, cut: int) -> RunStatus | None:
    """How the run in `folder` that has ended ends again after the first lines of its events."""
    ended.journal.close()
    copy = folder.with_name(f"cut-{cut}")
    copy.mkdir()
    (copy / EVENTS).write_bytes(b"".join((folder / EVENTS).read_bytes().splitlines(keepends=True)[:cut]))
    resumed = host(folder.with_name(f"other-{cut}"), site)
    resumed.journal, site.file = reopened(copy), copy / EVENTS
    resumed.owned = rows_in(folder)
    resumed.carry(planned(steps), RUN, earlier=tuple(resumed.journal.lines))
    return fold(resumed.journal.lines).status


def rows_in(folder: Path, *, is_new: bool = False) -> OwnedRows:
    return FileRunStore(folder / "rows").owned_rows(RUN.run, site="https://a", settle=0.0, is_new=is_new)


def test_no_older_copy_of_the_events_of_a_call_that_was_made_twice_makes_it_again(tmp_path: Path) -> None:
    carrying = host(tmp_path / "run", site := Lapsed())
    carrying.owned = rows_in(tmp_path / "run", is_new=True)
    carrying.carry(planned(AUTO), RUN)
    lines = carrying.journal.lines
    kinds = [line.event.call["kind"] if isinstance(line.event, CallSent) else type(line.event) for line in lines]
    first = kinds.index("execute")
    assert (site.starts, kinds[first + 1]) == (2, AttemptFailed)
    for cut in range(first + 2, kinds.index("execute", first + 1) + 1):
        status = older_copy_resumed(carrying, site, AUTO, folder=tmp_path / "run", cut=cut)
        assert status is RunStatus.UNKNOWN
        assert site.starts == 2, cut


def test_an_older_copy_of_events_that_ends_with_the_word_retry_of_a_person_does_not_make_the_call_again(
    tmp_path: Path,
) -> None:
    carrying = host(tmp_path / "run", site := Site(unanswered()))
    carrying.owned = rows_in(tmp_path / "run", is_new=True)
    carrying.judgement = Judgement(verdicts={"a": {"as": "retry"}})
    site.then = lambda: setattr(site, "ending", NOTHING if len(site.seen) > 1 else site.ending)
    carrying.carry(planned(ONE), RUN)
    lines = carrying.journal.lines
    cut = next(number for number, line in enumerate(lines) if isinstance(line.event, Asked)) + 1
    status = older_copy_resumed(carrying, site, ONE, folder=tmp_path / "run", cut=cut)
    assert status is RunStatus.UNKNOWN
    assert len(site.seen) == 2


@pytest.mark.parametrize("word", ["passed", "failed"])
def test_what_a_person_says_of_a_start_in_doubt_ends_its_time_for_other_runs(tmp_path: Path, word: str) -> None:
    carrying = host(tmp_path / "run", Site(unanswered()))
    carrying.judgement = Judgement(verdicts={"a": {"as": word}})
    carrying.owned = rows = NotedRows()
    carrying.carry(planned(ONE), RUN)
    assert starts_in(rows.notes) == ["a begins", "a is not answered", "a is answered"]
