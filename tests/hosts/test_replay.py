"""A journal played back: what a fresh engine is handed, and when it is not gone on with. Nothing is sent meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import msgspec
import pytest
from journals import EVENTS, RESULTS, new_journal, read, reopened
from msgspec.structs import replace
from no_other_runs import NoOtherRuns
from stories import RUN, World, planned, refused, unanswered

from runner.engine.effects import Effect, QueryPeers, ResolveDoubt
from runner.foundation.values import Json
from runner.hosts.judgement import Judgement
from runner.hosts.local import LocalHost
from runner.hosts.replay import ForgottenError, MisfitError, Replay
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.planning.plan import Plan
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    LogUnreadable,
    Paused,
    RunClosing,
    RunFinished,
    RunResumed,
    RunStatus,
    SignedIn,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
)
from runner.runs.facts import facts
from runner.runs.journal import Journal
from runner.runs.result import fold
from runner.service.calls import Answered, Call, Ending, ExecuteCall, RunProcessCall
from runner.service.gate import Gate

TWO = """
  - id: a
    execute: {process: UsrA, result: R}
    verify: none
    outputs: {o: result}
  - id: b
    execute: {process: UsrB, parameters: {Of: "{{ steps.a.outputs.o }}"}}
    verify: none
"""
ALONE = TWO.replace("{{ steps.a.outputs.o }}", "x")
GOES_ON = ALONE.replace("    outputs: {o: result}\n", "    on_failure: continue\n")
READ = TWO.replace("verify: none\n", "verify: none\n    effect: read\n")


@dataclass
class Place:
    """Answers with `ending`; `asked` are the calls that came, and `given` their seconds."""

    ending: Ending = field(default_factory=lambda: Answered(value=7))
    asked: list[Call] = field(default_factory=list)

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        del seconds
        assert gate.may_leave()
        self.asked.append(call)
        return self.ending

    @property
    def processes(self) -> list[str]:
        return [call.process for call in self.asked if isinstance(call, ExecuteCall)]


class AtOnce(Stop):
    def wait(self, seconds: float) -> None:
        del seconds


def carried(
    folder: Path, made: Plan, place: Place | World, *, judgement: Judgement | None = None, stop: Stop | None = None
) -> Journal:
    """Begin a run in `folder`, or go on with the one that lies there."""
    is_new = not folder.exists()
    journal = (new_journal if is_new else reopened)(folder, made.secrets)
    host = LocalHost(
        caller=place,
        journal=journal,
        stop=stop or AtOnce(grace=30.0),
        turn=Turn(Turns()),
        ask=lambda _text, _stop, _seconds: True,
        owned=NoOtherRuns(),
        judgement=judgement or Judgement(),
        clock=count().__next__,
    )
    try:
        host.carry(made, RUN, earlier=tuple(journal.lines))
    finally:
        journal.close()
    return journal


def cut_behind(folder: Path, *events: type[AnyEvent]) -> None:
    """Leave of the journal what goes to the last of these events, each looked for behind the one before."""
    lines = read(folder).lines
    place = 0
    for kind in events:
        place = next(line.seq for line in lines[place:] if isinstance(line.event, kind))
    written = (folder / EVENTS).read_bytes().splitlines(keepends=True)
    (folder / EVENTS).write_bytes(b"".join(written[:place]))


def rewritten(folder: Path, change: Callable[[AnyEvent], Sequence[AnyEvent]]) -> None:
    """Write the journal anew, with a chain that holds, each event replaced by what `change` gives for it."""
    lines = read(folder).lines
    (folder / EVENTS).unlink()
    folder.rename(folder.with_name("old"))
    journal = new_journal(folder, planned(TWO).secrets, now=lambda: "2026-01-31T09:00:00.000Z")
    for line in lines:
        for event in change(line.event):
            journal.append(event)
    journal.close()


def events(folder: Path) -> list[AnyEvent]:
    return [line.event for line in read(folder).lines]


def broken_off(folder: Path, steps: str = TWO, *, behind: Sequence[type[AnyEvent]]) -> None:
    """A run of `steps` that broke off behind the last of these events."""
    carried(folder, planned(steps), Place())
    cut_behind(folder, *behind)


def test_what_was_answered_is_not_sent_again_and_its_value_goes_on_to_later_steps(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", behind=[CallAnswered])
    place = Place(ending=Answered(value="another"))
    carried(tmp_path / "run", planned(TWO), place)
    assert [call.parameters for call in place.asked if isinstance(call, ExecuteCall)] == [{"Of": 7}]
    assert fold(read(tmp_path / "run").lines).steps[0].result == 7


def test_a_read_that_was_under_way_is_sent_again_and_is_there_twice_in_the_journal(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", READ, behind=[CallSent])
    place = Place()
    carried(tmp_path / "run", planned(READ), place)
    assert place.processes == ["UsrA", "UsrB"]
    first, mark, second, answer = events(tmp_path / "run")[2:6]
    assert isinstance(first, CallSent)
    assert isinstance(second, CallSent)
    assert facts(msgspec.structs.replace(first, t=second.t)) == facts(second)
    assert isinstance(mark, RunResumed)
    assert isinstance(answer, CallAnswered)


def test_a_read_that_broke_off_again_and_again_is_gone_past_when_it_is_played_back(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", READ, behind=[CallSent])
    for resumed in (1, 2, 3):
        carried(tmp_path / "run", planned(READ), Place())
        cut_behind(tmp_path / "run", *[CallSent] * (resumed + 1))
    place = Place()
    carried(tmp_path / "run", planned(READ), place)
    assert place.processes == ["UsrA", "UsrB"]
    result = fold(read(tmp_path / "run").lines)
    assert (result.exit_code, result.resumed) == (0, 4)


def test_a_call_that_must_not_happen_twice_and_was_under_way_is_not_sent_again(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", behind=[CallSent])
    place = Place()
    carried(tmp_path / "run", planned(TWO), place)
    assert place.asked == []
    assert fold(read(tmp_path / "run").lines).exit_code == 4


def test_that_it_was_taken_for_unanswered_is_itself_played_back(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", behind=[CallSent])
    carried(tmp_path / "run", planned(TWO), Place())
    before = (tmp_path / "run" / EVENTS).read_bytes()
    place = Place()
    carried(tmp_path / "run", planned(TWO), place)
    assert place.asked == []
    assert (tmp_path / "run" / EVENTS).read_bytes() == before


def test_a_resumption_leaves_one_mark_where_it_goes_on_with_the_time_that_had_passed(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", behind=[StepFinished])
    last = fold(read(tmp_path / "run").lines).seconds
    carried(tmp_path / "run", planned(TWO), Place())
    marks = [(place, event) for place, event in enumerate(events(tmp_path / "run")) if isinstance(event, RunResumed)]
    ((place, mark),) = marks
    assert isinstance(events(tmp_path / "run")[place - 1], StepFinished)
    assert mark.t >= last > 0


def test_the_mark_of_a_resumption_is_before_a_pause_that_is_made_again(tmp_path: Path) -> None:
    """Else a run that breaks off within the pause has it counted, and made once more all the same."""
    steps = "  - {id: a, pause: 10s}\n"
    carried(tmp_path / "run", planned(steps), Place())
    cut_behind(tmp_path / "run", StepStarted)
    seen: list[AnyEvent] = []

    class Looking(AtOnce):
        def wait(self, seconds: float) -> None:
            del seconds
            seen.append(events(tmp_path / "run")[-1])

    carried(tmp_path / "run", planned(steps), Place(), stop=Looking(grace=30.0))
    assert [type(event) for event in seen] == [RunResumed]


def test_a_run_that_has_ended_is_played_back_without_a_line(tmp_path: Path) -> None:
    carried(tmp_path / "run", planned(TWO), Place())
    before = (tmp_path / "run" / EVENTS).read_bytes()
    place = Place()
    carried(tmp_path / "run", planned(TWO), place)
    assert place.asked == []
    assert (tmp_path / "run" / EVENTS).read_bytes() == before


def test_a_stop_is_played_back_as_a_stop(tmp_path: Path) -> None:
    stop = AtOnce(grace=30.0)

    class Stopping(Place):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            ending = super().perform(call, seconds, gate=gate)
            stop.request("SIGTERM")
            return ending

    steps = TWO + "finally:\n  - id: f\n    execute: {process: UsrF}\n    verify: none\n"
    carried(tmp_path / "run", planned(steps), Stopping(), stop=stop)
    cut_behind(tmp_path / "run", AttemptFailed)
    place = Place()
    carried(tmp_path / "run", planned(steps), place)
    assert place.processes == ["UsrF"]
    assert fold(read(tmp_path / "run").lines).exit_code == 143


def test_a_failure_is_played_back_with_all_that_was_known_of_it(tmp_path: Path) -> None:
    trouble = Trouble(code="E205", message="too many", hint="ask for less")
    ending = replace(refused(429, retry_after=9.5), trouble=trouble, final=False)
    retry = "retry: {max_attempts: 2, on: [refused]}"
    steps = f"  - id: a\n    execute: {{process: UsrA}}\n    verify: none\n    effect: read\n    {retry}\n"
    carried(tmp_path / "run", planned(steps), Place(ending=ending))
    cut_behind(tmp_path / "run", AttemptFailed)
    carried(tmp_path / "run", planned(steps), Place(ending=ending))
    (paused,) = [event for event in events(tmp_path / "run") if isinstance(event, Paused)]
    assert paused.seconds == pytest.approx(9.5, rel=0.2)
    assert fold(read(tmp_path / "run").lines).steps[0].error == trouble


ANOTHER_PLAN = {
    "another process": TWO.replace("UsrB", "UsrC"),
    "another parameter": TWO.replace("Of:", "Off:"),
    "another effect": TWO.replace("{process: UsrA, result: R}", "{process: UsrA, result: R}\n    effect: idempotent"),
    "a step less": TWO.partition("  - id: b")[0],
    "other ids": TWO.replace("id: b", "id: c"),
}


@pytest.mark.parametrize("steps", ANOTHER_PLAN.values(), ids=ANOTHER_PLAN)
def test_a_journal_of_another_plan_is_found_out_and_nothing_is_sent_or_written(tmp_path: Path, steps: str) -> None:
    broken_off(tmp_path / "run", behind=[CallSent, CallSent, CallAnswered])
    assert not_gone_on_with(tmp_path / "run", steps, MisfitError) == "line 1 is not the `run.started`"


def not_gone_on_with(folder: Path, steps: str, error: type[Exception], *, judgement: Judgement | None = None) -> str:
    """The message, up to what the plan leads to; nothing was sent, and not a byte was written."""
    before, place = (folder / EVENTS).read_bytes(), Place()
    with pytest.raises(error) as raised:
        carried(folder, planned(steps), place, judgement=judgement)
    assert place.asked == []
    assert (folder / EVENTS).read_bytes() == before
    return str(raised.value).partition(" that this plan")[0]


def other(event: AnyEvent, kind: type[AnyEvent], of: str, /, **fields: object) -> list[AnyEvent]:
    """The event, changed where it is of this kind and row."""
    is_it = isinstance(event, kind) and getattr(event, "key", None) == of
    return [msgspec.structs.replace(event, **fields) if is_it else event]


UNREADABLE = LogUnreadable(error=Trouble(code="E205", message="no"))
IN_DOUBT = AttemptFailed(key="a", t=1.0, kind="in_doubt", error=Trouble(code="E401", message="no"))
TAMPERED: dict[str, tuple[Callable[[AnyEvent], Sequence[AnyEvent]], str]] = {
    "another call": (lambda e: other(e, CallSent, "b", call={"kind": "query"}), "line 7 is not the call of `b`"),
    "another watermark": (lambda e: other(e, CallSent, "b", watermark={}), "line 7 is not the call of `b`"),
    "another effect": (lambda e: other(e, CallSent, "b", effect="read"), "line 7 is not the call of `b`"),
    "a call of another row": (lambda e: other(e, CallSent, "b", key="c"), "line 7 is not the call of `b`"),
    "an answer to another row": (lambda e: other(e, CallAnswered, "b", key="a"), "line 8 is not about `b`"),
    "a verdict of another end": (
        lambda e: other(e, StepFinished, "a", status="failed"),
        "line 5 is not the `step.finished`",
    ),
    "a line too much": (
        lambda e: [e, UNREADABLE] if isinstance(e, StepFinished) else [e],
        "line 6 is not the `step.started`",
    ),
    "a line that is missing": (
        lambda e: [] if isinstance(e, StepFinished) else [e],
        "line 5 is not the `step.finished`",
    ),
    "a beginning in the place of an answer": (
        lambda e: [e, UNREADABLE] if isinstance(e, CallSent) else [e],
        "line 4 is not about `a`",
    ),
    "an end in the place of an answer": (
        lambda e: [] if isinstance(e, CallAnswered) else [e],
        "line 4 is not an outcome of `a`",
    ),
    "a doubt in the place of an answer": (
        lambda e: [IN_DOUBT] if isinstance(e, CallAnswered) else [e],
        "line 4 is not an outcome of `a`",
    ),
}


@pytest.mark.parametrize(("change", "says"), TAMPERED.values(), ids=TAMPERED)
def test_a_journal_that_is_of_something_else_is_found_out_and_nothing_is_sent(
    tmp_path: Path, change: Callable[[AnyEvent], Sequence[AnyEvent]], says: str
) -> None:
    broken_off(tmp_path / "run", behind=[CallSent, CallSent, CallAnswered])
    rewritten(tmp_path / "run", change)
    assert not_gone_on_with(tmp_path / "run", TWO, MisfitError) == says


@pytest.mark.parametrize(
    "question",
    [QueryPeers(key="a", rows=(), keys=None, codes=("UsrA",)), ResolveDoubt(keys=("a",), ended=False)],
    ids=["of other runs", "of a person"],
)
def test_a_failure_answers_no_question(tmp_path: Path, question: Effect) -> None:
    journal = new_journal(tmp_path / "run")
    journal.append(replace(IN_DOUBT, kind="unanswered"))
    journal.close()
    with pytest.raises(MisfitError, match="line 1 is no answer to a question about `a`"):
        Replay(journal, read(tmp_path / "run").lines).outcome(question)


SECRET = TWO.replace("    outputs: {o: result}\n", "    secret: true\n").replace("outputs.o", "result")
"""Of the two steps the first is secret, and the second needs what it gives."""
UNUSED = SECRET.replace("{{ steps.a.result }}", "x")


def test_no_run_goes_on_past_the_answer_of_a_secret_step_that_a_later_step_needs(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SECRET, behind=[StepFinished])
    assert "marked `secret`" in not_gone_on_with(tmp_path / "run", SECRET, ForgottenError)


@pytest.mark.parametrize("last", [CallAnswered, StepFinished])
def test_a_run_goes_on_past_the_answer_of_a_secret_step_that_nothing_depends_on(
    tmp_path: Path, last: type[AnyEvent]
) -> None:
    broken_off(tmp_path / "run", UNUSED, behind=[last])
    place = Place()
    journal = carried(tmp_path / "run", planned(UNUSED), place)
    assert place.processes == ["UsrB"]
    assert fold(journal.lines).status is RunStatus.PASSED
    again = carried(tmp_path / "run", planned(UNUSED), place)
    assert again.lines == journal.lines, "it fits its plan once more"


@pytest.mark.parametrize("last", [CallAnswered, StepFinished])
def test_that_a_secret_step_gave_nothing_is_known_when_the_run_is_resumed(tmp_path: Path, last: type[AnyEvent]) -> None:
    nothing = Place(ending=Answered(value=None))
    whole = fold(carried(tmp_path / "run", planned(SECRET), nothing).lines).steps[0]
    cut_behind(tmp_path / "run", last)
    resumed = fold(carried(tmp_path / "run", planned(SECRET), nothing).lines).steps[0]
    assert "`R` is null" in str(whole.warnings)
    assert resumed.warnings == whole.warnings
    assert nothing.processes == ["UsrA", "UsrB", "UsrB"]


@pytest.mark.parametrize("last", [CallAnswered, StepFinished])
@pytest.mark.parametrize(
    ("action", "value"),
    [
        pytest.param("execute: {process: UsrA, result: R}", ["web-node-1", "for web-node-1"], id="execute"),
        pytest.param(
            "run: {process: UsrA}", {"status": "done", "process_id": "1", "results": {"R": "web-node-1"}}, id="run"
        ),
    ],
)
def test_a_result_that_held_the_cookie_of_an_ended_session_is_gone_past_where_nothing_depends_on_it(
    tmp_path: Path, action: str, value: Json, last: type[AnyEvent]
) -> None:
    steps = ALONE.replace("    outputs: {o: result}\n", "").replace("execute: {process: UsrA, result: R}", action)
    made = planned(steps)
    made.secrets.add("target.cookie.SERVERID", "web-node-1")
    carried(tmp_path / "run", made, Place(ending=Answered(value=value)))
    cut_behind(tmp_path / "run", last)
    place = Place()
    journal = carried(tmp_path / "run", planned(steps), place)
    assert place.processes == ["UsrB"]
    assert fold(journal.lines).status is RunStatus.PASSED
    assert "web-node-1" not in (tmp_path / "run" / EVENTS).read_text()


def test_an_answer_that_hid_which_process_it_was_is_not_gone_past(tmp_path: Path) -> None:
    steps = ALONE.replace("    outputs: {o: result}\n", "").replace(
        "execute: {process: UsrA, result: R}", "run: {process: UsrA}"
    )
    made = planned(steps)
    made.secrets.add("target.cookie.SERVERID", "web-node-1")
    carried(tmp_path / "run", made, Place(ending=Answered(value={"status": "done", "process_id": "web-node-1"})))
    cut_behind(tmp_path / "run", CallAnswered)
    assert "target.cookie.SERVERID" in not_gone_on_with(tmp_path / "run", steps, ForgottenError)


SECRET_RUN = "run: {process: UsrA, results: [R]}"
PROCESS = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


class Runs(Place):
    """Answers a `run` with what is secret."""

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        ending = super().perform(call, seconds, gate=gate)
        return ending if isinstance(call, RunProcessCall) else Answered(value=7)


def answered_run(status: str) -> Runs:
    results: Json = {"R": "geheim-1234"}
    value: Json = {"status": status, "process_id": PROCESS, "results": results, "error": "of geheim-1234"}
    return Runs(ending=Answered(value=value))


@pytest.mark.parametrize("last", [CallAnswered, StepFinished])
@pytest.mark.parametrize(("status", "ends"), [("done", "passed"), ("error", "failed")])
def test_which_process_a_secret_run_was_is_known_when_the_run_is_resumed(
    tmp_path: Path, last: type[AnyEvent], status: str, ends: str
) -> None:
    steps = UNUSED.replace("execute: {process: UsrA, result: R}", SECRET_RUN)
    whole = fold(carried(tmp_path / "run", planned(steps), answered_run(status)).lines)
    assert "geheim" not in (tmp_path / "run" / EVENTS).read_text()
    assert (whole.steps[0].status, whole.steps[0].process_id) == (ends, PROCESS)
    cut_behind(tmp_path / "run", last)
    resumed = fold(carried(tmp_path / "run", planned(steps), Place()).lines)
    assert [step.status for step in resumed.steps] == [step.status for step in whole.steps]
    assert (resumed.steps[0].process_id, resumed.hidden) == (PROCESS, None)


def test_the_result_of_a_secret_run_that_a_later_step_needs_is_not_gone_past(tmp_path: Path) -> None:
    steps = SECRET.replace("execute: {process: UsrA, result: R}", SECRET_RUN).replace("a.result", "a.result.R")
    carried(tmp_path / "run", planned(steps), answered_run("done"))
    cut_behind(tmp_path / "run", CallAnswered)
    assert "marked `secret`" in not_gone_on_with(tmp_path / "run", steps, ForgottenError)
    hidden = fold(read(tmp_path / "run").lines).hidden
    assert hidden is not None
    assert hidden.is_certain


def test_a_run_goes_on_up_to_a_secret_step(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SECRET, behind=[StepStarted])
    place = Place()
    carried(tmp_path / "run", planned(SECRET), place)
    assert place.processes == ["UsrA", "UsrB"]


def test_a_secret_result_that_a_person_handed_in_is_not_kept_and_not_gone_past(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", SECRET, behind=[CallSent])
    said = Judgement(verdicts={"a": {"as": "passed", "result": "swordfish"}})
    carried(tmp_path / "run", planned(SECRET), Place(), judgement=said)
    assert "swordfish" not in (tmp_path / "run" / EVENTS).read_text()
    cut_behind(tmp_path / "run", Asked)
    assert "handed in was not stored" in not_gone_on_with(tmp_path / "run", SECRET, ForgottenError)


def test_an_answer_whose_file_is_gone_or_was_changed_is_not_gone_past(tmp_path: Path) -> None:
    carried(tmp_path / "run", planned(TWO), Place(ending=Answered(value="x" * 300_000)))
    cut_behind(tmp_path / "run", StepFinished)
    for file in (tmp_path / "run" / RESULTS).iterdir():
        file.write_text('"y"')
    assert "was changed" in not_gone_on_with(tmp_path / "run", TWO, ForgottenError)
    for file in (tmp_path / "run" / RESULTS).iterdir():
        file.unlink()
    assert "No such file" in not_gone_on_with(tmp_path / "run", TWO, ForgottenError)


def test_an_answer_with_a_secret_that_nobody_knows_any_more_is_not_gone_past(tmp_path: Path) -> None:
    made = planned(TWO)
    made.secrets.add("target.password", "swordfish")
    carried(tmp_path / "run", made, Place(ending=Answered(value="it is swordfish")))
    cut_behind(tmp_path / "run", CallAnswered)
    assert "target.password" in not_gone_on_with(tmp_path / "run", TWO, ForgottenError)


def test_a_failure_whose_words_hold_the_cookie_of_an_ended_session_is_gone_past(tmp_path: Path) -> None:
    """What a page of the site, or of a gateway before it, says of a request often holds the cookies of that request."""
    made = planned(GOES_ON)
    made.secrets.add("target.cookie.SERVERID", "web-node-1")
    said = refused(message="web-node-1 refused it")
    carried(tmp_path / "run", made, Place(ending=said))
    cut_behind(tmp_path / "run", AttemptFailed, CallSent)
    place = Place()
    journal = carried(tmp_path / "run", planned(GOES_ON), place)
    assert place.processes == []  # what was in doubt is not sent again
    first, _ = fold(journal.lines).steps
    assert first.error is not None
    assert "web-node-1" not in (tmp_path / "run" / EVENTS).read_text()
    assert [line.event for line in read(tmp_path / "run").lines if isinstance(line.event, RunFinished)]


@pytest.mark.parametrize("last", [StepFinished, StepSkipped, RunClosing])
def test_a_run_that_broke_off_before_its_end_and_was_reconciled_can_be_settled(
    tmp_path: Path, last: type[AnyEvent]
) -> None:
    """It broke off after a call was in doubt, and before all that follows from that was written down."""
    steps = ALONE + "  - id: c\n    execute: {process: UsrC}\n    verify: none\n"
    carried(tmp_path / "run", planned(steps), Place(ending=unanswered()))
    cut_behind(tmp_path / "run", last)
    place = Place()
    carried(tmp_path / "run", planned(steps), place, judgement=Judgement(look_again=True, only_settle=True))
    verdict = Judgement(verdicts={"a": {"as": "passed", "result": 7}})
    journal = carried(tmp_path / "run", planned(steps), place, judgement=verdict)
    assert place.processes == []
    assert [step.status for step in fold(journal.lines).steps] == ["passed", "skipped", "skipped"]
    assert fold(journal.lines).status is RunStatus.FAILED


def test_holes_are_filled_before_the_engine_sees_an_answer(tmp_path: Path) -> None:
    made = planned(TWO)
    made.secrets.add("target.password", "swordfish")
    carried(tmp_path / "run", made, Place(ending=Answered(value={"swordfish": "a swordfish"})))
    cut_behind(tmp_path / "run", CallAnswered)
    place, again = Place(), planned(TWO)
    again.secrets.add("target.password", "swordfish")
    carried(tmp_path / "run", again, place)
    assert [call.parameters for call in place.asked if isinstance(call, ExecuteCall)] == [
        {"Of": {"swordfish": "a swordfish"}}
    ]
    assert "swordfish" not in (tmp_path / "run" / EVENTS).read_text()


def test_what_was_known_of_the_log_is_asked_again_after_a_break(tmp_path: Path) -> None:
    """Others have started the process meanwhile: their row is not taken for ours."""
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrA}\n"
    world = World(statuses=["done", "done"])
    carried(tmp_path / "run", planned(steps), world)
    cut_behind(tmp_path / "run", StepFinished)
    meanwhile = World(rows=world.rows[1:], statuses=["done"])
    meanwhile.add_row("UsrA", "error")
    carried(tmp_path / "run", planned(steps), meanwhile)
    result = fold(read(tmp_path / "run").lines)
    assert [(step.status.value, step.verified) for step in result.steps] == [("passed", True), ("passed", True)]


def in_other_words(event: AnyEvent) -> list[AnyEvent]:
    """The event as another version of the program may have worded it."""
    match event:
        case AttemptFailed() | LogUnreadable() | StepFinished() if event.error is not None:
            error = Trouble(code=event.error.code, message="anders gesagt", hint="ein Rat")
            return [msgspec.structs.replace(event, error=error)]
        case StepStarted(row=row):
            return [msgspec.structs.replace(event, row=msgspec.structs.replace(row, name="ein Schritt"))]
        case _:
            return [event]


def test_a_journal_in_other_words_leads_to_the_same_verdict(tmp_path: Path) -> None:
    stop = AtOnce(grace=30.0)

    class Stopping(Place):
        def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
            super().perform(call, seconds, gate=gate)
            stop.request("SIGTERM")
            return refused(500)

    steps = TWO + "finally:\n  - id: f\n    execute: {process: UsrF}\n    verify: none\n"
    carried(tmp_path / "run", planned(steps), Stopping(), stop=stop)
    (verdict, ended) = ((whole := fold(read(tmp_path / "run").lines)).exit_code, [step.status for step in whole.steps])
    cut_behind(tmp_path / "run", StepFinished, StepFinished)
    rewritten(tmp_path / "run", in_other_words)
    carried(tmp_path / "run", planned(steps), Place(ending=refused(500)))
    again = fold(read(tmp_path / "run").lines)
    assert (again.exit_code, [step.status for step in again.steps]) == (verdict, ended)
    assert (again.exit_code, len(again.steps)) == (143, 3)


def test_a_journal_of_a_version_that_did_not_know_a_field_of_a_call_is_played_back(tmp_path: Path) -> None:
    def without_nulls(event: AnyEvent) -> list[AnyEvent]:
        if not isinstance(event, CallSent):
            return [event]
        return [replace(event, call={name: value for name, value in event.call.items() if value is not None})]

    broken_off(tmp_path / "run", behind=[CallSent, CallSent, CallAnswered])
    assert {"result": None}.items() <= [e.call for e in events(tmp_path / "run") if isinstance(e, CallSent)][1].items()
    rewritten(tmp_path / "run", without_nulls)
    place = Place()
    carried(tmp_path / "run", planned(TWO), place)
    assert place.asked == []
    assert fold(read(tmp_path / "run").lines).status is RunStatus.PASSED


def test_a_sign_in_is_gone_past_when_it_is_played_back(tmp_path: Path) -> None:
    broken_off(tmp_path / "run", READ, behind=[CallSent, CallSent])
    signed_in = SignedIn(key="a", t=0.0, seconds=0.5, kind="password")
    rewritten(tmp_path / "run", lambda event: [signed_in, event] if isinstance(event, CallSent) else [event])
    place = Place()
    carried(tmp_path / "run", planned(READ), place)
    assert place.processes == ["UsrB"]
