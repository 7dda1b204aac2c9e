"""Stories of elements that are named in one running process: found, waited for, executed, and looked at again."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from stories import World, not_sent, planned, refused, unanswered

from runner.catalogue.model import ProcessElement
from runner.engine.effects import ResolveDoubt, Send, Sleep
from runner.foundation.values import Json, JsonObject
from runner.planning.plan import Plan
from runner.runs.events import Trouble
from runner.service.calls import (
    SESSION_REFUSED,
    Answered,
    CallFailed,
    CompleteCall,
    ElementCall,
    Ending,
    FailureKind,
    ReadElementData,
    ReadElements,
)

PROCESS = "00000000-0000-0000-0000-000000000001"
DESIGN = "7d8f6f3e-0000-0000-0000-000000000000"
ONE = f"  - id: a\n    element: {{of: {PROCESS}, name: Approve}}\n    timeout: 30s\n"
WITH_VALUES = f"  - id: a\n    element: {{of: {PROCESS}, name: Approve, parameters: {{Level: 2}}}}\n    timeout: 30s\n"
CHAIN = f"  - id: c\n    elements: {{of: {PROCESS}, chain: [Approve, Create, Send]}}\n    timeout: 30s\n"


@dataclass
class Site(World):
    """A site with one process, whose elements wait in turn: each is there when the one before it was executed.

    `shown` are those that are there at the start, `next` those that follow, by captions. `appears_at` is the second in
    which what is `shown` is there; `moves`: what is executed moves, `moves_late`: the first does when
    somebody asks. `stored` and `logged`: what of it can be read.
    """

    shown: list[JsonObject] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    appears_at: float = 0.0
    moves: bool = True
    becomes: str | None = "done"
    stored: bool = True
    logged: bool = True
    behind: str | None = "running"
    moves_late: bool = False
    executed_ids: list[str] = field(default_factory=list)
    executes_refused: bool = False

    def __post_init__(self) -> None:
        self.add_row("UsrA", "running")

    def _ending(self, send: Send) -> Ending:
        match send.call:
            case ReadElementData():
                waiting: list[Json] = [one for one in self._there() if one["status"] in ("running", "error")]
                return Answered(value=waiting) if self.stored else refused()
            case ReadElements():
                return Answered(value=[*reversed(self._there())]) if self.logged else refused()
            case ElementCall(uid=key) | CompleteCall(uid=key):
                ending = super()._ending(send)
                is_lost = isinstance(ending, CallFailed) and ending.kind == "unanswered" and not self.lost
                if not isinstance(ending, CallFailed) or is_lost or self.executes_refused:
                    self._execute_element(key)
                return ending
            case _:
                return super()._ending(send)

    def _there(self) -> list[JsonObject]:
        if self.moves_late and any(isinstance(effect, ResolveDoubt) for effect in self.effects):
            self.shown[0]["status"] = "done"
        return [dict(one) for one in self.shown] if self.t >= self.appears_at else []

    def _execute_element(self, key: str) -> None:
        self.executed_ids.append(key)
        own = next((one for one in self.shown if one["id"] == key), None)
        if own is not None and self.moves:
            own["status"] = self.becomes
            self.rows[0]["status"] = self.behind
            if self.next:
                self.shown.append(element(self.next.pop(0), len(self.shown)))


def element(caption: str, number: int = 0, *, status: str = "running", **more: Json) -> JsonObject:
    ids: JsonObject = {"id": f"e1e00000-0000-0000-0000-{number:012d}", "uid": f"{DESIGN[:-1]}{number}"}
    return {**ids, "kind": "UserTask", "caption": caption, "status": status, "error": None, **more}


def known(plan: Plan, *elements: ProcessElement) -> Plan:
    return replace(plan, elements=elements)


def test_an_element_is_executed_by_the_id_that_it_has_in_this_process_and_verified_by_its_own_row() -> None:
    site = Site(shown=[element("Approve", 3)])
    site.carry_out(planned(ONE))
    assert site.executed_ids == ["e1e00000-0000-0000-0000-000000000003"]
    row = site.finished("a")
    assert (row.status, row.verified, row.process_id, row.warnings) == ("passed", True, PROCESS, ())


def test_a_name_is_a_caption_in_any_case_a_code_or_the_id_of_the_design() -> None:
    designed = ProcessElement(
        uid=f"{DESIGN[:-1]}0", name="UserTask7", kind="UserTask", caption="Approve", also=("Согласовать",)
    )
    for name in (" approve", "UserTask7", "согласовать", f"{DESIGN[:-1]}0".upper()):
        site = Site(shown=[element("Other")], logged=False) if name != " approve" else Site(shown=[element("Approve")])
        site.carry_out(known(planned(ONE.replace("name: Approve", f"name: '{name}'")), designed))
        assert (name, site.end.exit_code, len(site.executed_ids)) == (name, 0, 1)


def test_without_tracing_a_known_design_leads_to_the_element_that_the_engine_holds() -> None:
    designed = ProcessElement(uid=f"{DESIGN[:-1]}0", name="UserTask7", kind="UserTask", caption="Approve")
    site = Site(shown=[element("")], logged=False)
    site.carry_out(known(planned(ONE), designed))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", "inferred")


@pytest.mark.parametrize(
    ("executes", "logged", "sent", "ended"),
    [
        (True, True, 1, ("passed", "inferred")),
        (False, True, 2, ("passed", True)),
        (False, False, 1, ("unknown", None)),
    ],
)
def test_values_that_were_turned_away_are_sent_again_only_where_the_element_has_not_moved(
    sent: int, ended: tuple[str, object], *, executes: bool, logged: bool
) -> None:
    trouble = Trouble(code=SESSION_REFUSED, message="sign in")
    away = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=trouble, status=401)
    site = TurnedAway(shown=[element("Approve")], answers=[away], executes_refused=executes)
    site.is_read_later = logged
    site.carry_out(planned(WITH_VALUES))
    calls = [effect for effect in site.effects if isinstance(effect, Send) and isinstance(effect.call, CompleteCall)]
    assert (len(calls), (site.finished("a").status.value, site.finished("a").verified)) == (sent, ended)


class TurnedAway(Site):
    """The elements may be read no more once a call was made, unless `is_read_later`."""

    is_read_later = True

    def _ending(self, send: Send) -> Ending:
        if isinstance(send.call, CompleteCall):
            self.stored = self.logged = self.is_read_later
        return super()._ending(send)


def test_an_element_that_this_run_has_executed_is_waited_for_again_and_the_message_says_so() -> None:
    site = Site(shown=[element("Approve")], next=["Create"])
    site.carry_out(planned(ONE + ONE.replace("id: a", "id: b")))
    assert len(site.executed_ids) == 1
    error = site.finished("b").error
    assert error is not None
    assert "counts for another row of this run, and it has not come again" in error.message


def test_an_element_that_is_not_there_yet_is_waited_for_within_the_time_of_its_step() -> None:
    site = Site(shown=[element("Approve")], appears_at=12.0)
    site.carry_out(planned(ONE))
    assert site.finished("a").status == "passed"
    assert site.pauses[:3] == [1.0, 1.5, 2.25]
    late = Site(shown=[element("Approve")], appears_at=90.0)
    late.carry_out(planned(ONE))
    assert (late.executed_ids, late.end.exit_code) == ([], 1)
    error = late.finished("a").error
    assert error is not None
    assert error.code == "E220"


def test_a_chain_takes_each_element_as_soon_as_the_one_before_it_has_made_it_wait() -> None:
    site = Site(shown=[element("Approve")], next=["Create", "Send"])
    site.carry_out(planned(CHAIN))
    assert site.statuses_of_rows() == {"c[0]": "passed", "c[1]": "passed", "c[2]": "passed", "c": "passed"}
    assert len(set(site.executed_ids)) == 3


def test_a_process_that_has_ended_without_the_element_fails_at_once_and_says_what_it_passed() -> None:
    site = Site(shown=[element("Check", status="done")])
    site.rows[0]["status"] = "done"
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert "ended as `done`" in error.message
    assert "Check (done)" in error.message
    assert (site.executed_ids, site.t < 10) == ([], True)


@pytest.mark.parametrize("status", ["cancelled", "error"])
def test_an_element_of_a_process_that_ended_badly_is_to_be_looked_for_in_the_process_log(status: str) -> None:
    site = Site(shown=[element("Check", status="done")])
    site.rows[0]["status"] = status
    error = site.carry_out(planned(ONE)).finished("a").error
    assert error is not None
    assert (error.code, error.hint) == (
        "E220",
        "look in the process log of the site why it failed, or who cancelled it",
    )


def test_an_element_that_a_process_has_gone_through_is_to_be_left_out() -> None:
    site = Site(shown=[element("Approve", status="done")])
    site.rows[0]["status"] = "done"
    error = site.carry_out(planned(ONE + ONE.replace("id: a", "id: b"))).finished("b").error
    assert error is not None
    assert error.hint == "leave the step out, or start the process once more"


@pytest.mark.parametrize("status", ["done", "running"])
def test_a_name_that_leads_nowhere_is_answered_with_the_element_that_is_called_nearly_so(status: str) -> None:
    site = Site(shown=[element("Aprove", status=status)])
    site.rows[0]["status"] = status
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, error.hint) == ("E220", "did you mean `Aprove`?")


def test_where_the_process_is_at_another_element_the_message_names_that() -> None:
    site = Site(shown=[element("Send the letter")])
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert error.message.endswith("; its elements: Send the letter (running)")
    assert (error.hint or "").startswith("the process is at `Send the letter`: execute that first")
    assert "`chain: [Send the letter, Approve]`" in (error.hint or "")


def test_where_the_process_is_in_a_sub_process_the_hint_says_how_to_find_that() -> None:
    site = Site(shown=[element("Check the order", kind="ProcessSchemaSubProcess")])
    error = site.carry_out(planned(ONE)).finished("a").error
    assert error is not None
    assert (error.hint or "").startswith("the process is in its sub-process `Check the order`")
    assert "Parent/Id eq {{ steps.ID.process_id }}" in (error.hint or "")


def test_an_element_that_was_executed_before_is_left_alone_and_the_row_says_so() -> None:
    site = Site(shown=[element("Approve", status="done")])
    site.carry_out(planned(ONE))
    assert (site.finished("a").status, site.executed_ids) == ("passed", [])
    assert site.finished("a").warnings == ("the element was executed before",)


@pytest.mark.parametrize(
    "steps",
    [
        CHAIN.replace("[Approve, Create, Send]", "[Approve, Approve]"),
        ONE.replace("element:", "for_each: [1, 2]\n    element:"),
        ONE + ONE.replace("id: a", "id: b"),
    ],
    ids=["chain", "loop", "steps"],
)
def test_an_element_that_somebody_has_executed_counts_for_one_row(steps: str) -> None:
    site = Site(shown=[element("Approve", status="done"), element("Other", 1)])
    site.carry_out(planned(steps))
    assert [*site.statuses_of_rows().values()].count("passed") == 1
    assert (site.executed_ids, site.end.exit_code) == ([], 1)


def test_an_element_that_was_executed_before_is_taken_again_by_another_attempt_of_its_row() -> None:
    site = Site(shown=[element("Approve", status="done")])
    site.carry_out(planned(ONE + "    retry: {max_attempts: 2, on: [expectation]}\n    expect: [1 == 2]\n"))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.finished("a").attempts) == ("E201", 2)


def test_an_element_in_error_in_one_source_has_failed_whatever_the_other_shows() -> None:
    class Behind(Site):
        def _ending(self, send: Send) -> Ending:
            ending = super()._ending(send)
            if isinstance(send.call, ReadElementData) and self.executed_ids:
                return Answered(value=[{**each, "status": "error"} for each in self._there()])
            return ending

    site = Behind(shown=[element("Approve")], moves=False)
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.finished("a").status) == ("E203", "failed")


@pytest.mark.parametrize("logged", [True, False])
def test_a_repetition_executes_no_other_element_than_the_attempt_before(*, logged: bool) -> None:
    class Late(Site):
        """The element moves after the look at it, and the process comes to it again."""

        def _ending(self, send: Send) -> Ending:
            if self.pauses and len(self.shown) == 1:
                self.shown[0]["status"] = "done"
                self.shown.append(element("Approve", 1, uid=self.shown[0]["uid"]))
            return super()._ending(send)

    site = Late(shown=[element("Approve")], answers=[unanswered()], lost=True, logged=logged)
    designed = ProcessElement(uid=f"{DESIGN[:-1]}0", name="UserTask7", kind="UserTask", caption="Approve")
    site.carry_out(known(planned(ONE + "    retry: {max_attempts: 2, on: [unanswered]}\n"), designed))
    assert (site.finished("a").status, site.finished("a").attempts, site.executed_ids) == ("passed", 2, [])


def test_a_repetition_that_never_left_does_not_make_its_row_forget_what_the_attempt_before_it_called() -> None:
    class Late(Site):
        """The element moves when the second call has not left, and the process comes to it again."""

        def _ending(self, send: Send) -> Ending:
            ending = super()._ending(send)
            if isinstance(send.call, ElementCall) and not self.answers and len(self.shown) == 1:
                self.shown[0]["status"] = "done"
                self.shown.append(element("Approve", 1, uid=self.shown[0]["uid"]))
            return ending

    site = Late(shown=[element("Approve")], answers=[unanswered(), not_sent()], lost=True)
    site.carry_out(planned(ONE + "    retry: {max_attempts: 3, on: [unanswered, not_sent]}\n"))
    assert (site.finished("a").status, site.finished("a").attempts, site.executed_ids) == ("passed", 3, [])


@pytest.mark.parametrize("verify", ["auto", "log", "none"])
def test_a_further_attempt_at_an_expectation_executes_nothing_and_knows_the_answer(verify: str) -> None:
    more = "    retry: {max_attempts: 2, on: [expectation]}\n    expect: [result == 8]\n    outputs: {x: result}\n"
    after = "  - {id: b, if: always(), pause: 1ms, expect: [steps.a.result == 7]}\n"
    site = Site(shown=[element("Approve")], answers=[7])
    site.carry_out(planned(ONE + more + f"    verify: {verify}\n" + after))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.finished("a").attempts, site.finished("a").status) == ("E201", 2, "failed")
    assert (len(site.executed_ids), site.finished("b").status) == (1, "passed")


def test_values_that_never_left_are_a_failure_where_somebody_executed_the_element_meanwhile() -> None:
    class Meanwhile(Site):
        def _ending(self, send: Send) -> Ending:
            if isinstance(send.call, CompleteCall):
                self.shown[0]["status"] = "done"
            return super()._ending(send)

    site = Meanwhile(shown=[element("Approve")], answers=[not_sent()])
    site.carry_out(planned(WITH_VALUES))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.executed_ids) == ("E222", [])


@pytest.mark.parametrize(("status", "code"), [("cancelled", "E204"), ("error", "E203")])
def test_an_element_that_does_not_move_since_its_process_has_ended_is_a_failed_step(status: str, code: str) -> None:
    site = Site(shown=[element("Approve")], becomes="running", behind=status)
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.finished("a").status, site.end.exit_code) == (code, "failed", 1)


def test_values_that_an_element_executed_before_never_got_are_a_failure() -> None:
    site = Site(shown=[element("Approve", status="done")])
    site.carry_out(planned(WITH_VALUES))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.end.exit_code) == ("E222", 1)


def test_the_same_element_twice_in_a_chain_waits_for_its_next_turn() -> None:
    chain = CHAIN.replace("[Approve, Create, Send]", "[Approve, Approve]")
    site = Site(shown=[element("Approve")])
    site.carry_out(planned(chain))
    assert site.statuses_of_rows()["c[1]"] == "failed"
    assert len(site.executed_ids) == 1


@dataclass
class Slow(Site):
    """What was executed moves seconds later, and the next element, of the same design, waits then."""

    late: float = 15.0
    moves_at: float | None = None

    def _there(self) -> list[JsonObject]:
        if self.moves_at is not None and self.t >= self.moves_at:
            self.moves_at = None
            self.shown[0]["status"] = "done"
            self.shown.append({**element("Approve", 1), "uid": self.shown[0]["uid"]})
        return super()._there()

    def _execute_element(self, key: str) -> None:
        self.executed_ids.append(key)
        if len(self.executed_ids) == 1:
            self.moves_at = self.t + self.late
        else:
            self.shown[-1]["status"] = "done"


@pytest.mark.parametrize("values", ["", ", parameters: {Level: 2}"])
def test_an_element_that_moves_late_is_not_executed_again_by_the_row_that_names_its_next_instance(values: str) -> None:
    chain = CHAIN.replace("[Approve, Create, Send]", f"[{{name: Approve{values}}}, {{name: Approve{values}}}]")
    site = Slow(shown=[element("Approve")])
    site.carry_out(planned(chain))
    assert site.executed_ids == [element("Approve", number)["id"] for number in (0, 1)]
    assert site.statuses_of_rows()["c[1]"] == "passed"


def test_an_element_whose_call_was_refused_may_be_executed_by_another_row() -> None:
    refuses = Site(shown=[element("Approve")], answers=[refused()])
    refuses.carry_out(planned(ONE + "    on_failure: continue\n" + ONE.replace("id: a", "id: b")))
    assert (refuses.finished("a").status, refuses.finished("b").status) == ("failed", "passed")
    assert len(refuses.executed_ids) == 1


def test_an_element_that_does_not_move_is_not_verified_and_with_verify_log_not_green() -> None:
    site = Site(shown=[element("Approve")], moves=False)
    site.carry_out(planned(ONE))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", None)
    assert site.finished("a").warnings == ("not verified: the element has not moved, it is `running` as before",)
    strict = Site(shown=[element("Approve")], moves=False)
    strict.carry_out(planned(ONE + "    verify: log\n"))
    assert strict.end.exit_code == 3
    once = Site(shown=[element("Approve")], moves=False)
    once.carry_out(planned(WITH_VALUES + "    verify: log\n"))
    assert once.end.exit_code == 4


def test_a_process_that_fails_behind_its_element_is_a_failed_step() -> None:
    site = Site(shown=[element("Approve")], behind="error")
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert error.code == "E203"
    assert (site.finished("a").status, site.finished("a").verified) == ("failed", False)


def test_an_element_that_was_executed_before_does_not_pass_where_its_process_has_failed_since() -> None:
    site = Site(shown=[element("Approve", status="done")])
    site.rows[0]["status"] = "error"
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.executed_ids, site.end.exit_code) == ("E203", [], 1)


NOT_KNOWN: dict[str, dict[str, Any]] = {
    "the log of processes is refused": {"log": refused()},
    "the log of processes is broken": {"log": unanswered()},
    "the element has no status": {"becomes": None},
    "the status of the element is not known": {"becomes": "7"},
    "the status of the process is not known": {"behind": "7"},
    "the process has no status": {"behind": None},
}


@pytest.mark.parametrize("site", NOT_KNOWN.values(), ids=NOT_KNOWN.keys())
def test_what_became_of_a_process_after_its_element_must_be_known(site: dict[str, Any]) -> None:
    plain = Site(shown=[element("Approve")], **site)
    plain.carry_out(planned(ONE))
    assert (plain.finished("a").status, plain.finished("a").verified) == ("passed", None)
    assert plain.finished("a").warnings[0].startswith("not verified: ")
    for step, code in ((ONE, 3), (WITH_VALUES, 4)):
        strict = Site(shown=[element("Approve")], **site)
        strict.carry_out(planned(step + "    verify: log\n"))
        assert strict.end.exit_code == code


@pytest.mark.parametrize("log", [refused(), unanswered()])
def test_what_became_of_a_process_must_be_known_of_an_element_that_was_executed_before(log: CallFailed) -> None:
    site = Site(shown=[element("Approve", status="done")], log=log)
    site.carry_out(planned(ONE))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", None)
    strict = Site(shown=[element("Approve", status="done")], log=log)
    strict.carry_out(planned(ONE + "    verify: log\n"))
    assert (strict.end.exit_code, strict.executed_ids) == (3, [])


@pytest.mark.parametrize("log", [refused(), unanswered()])
def test_a_lost_answer_is_settled_by_the_element_where_nobody_asks_for_its_process(log: CallFailed) -> None:
    site = Site(shown=[element("Approve")], answers=[unanswered()], log=log)
    site.carry_out(planned(WITH_VALUES))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", "inferred")
    assert site.finished("a").warnings[-1].startswith("not verified: ")
    strict = Site(shown=[element("Approve")], answers=[unanswered()], log=log)
    strict.carry_out(planned(WITH_VALUES + "    verify: log\n"))
    assert (strict.end.exit_code, len(strict.executed_ids)) == (4, 1)


def test_what_is_only_inferred_of_an_element_does_not_pass_with_verify_log() -> None:
    designed = ProcessElement(uid=f"{DESIGN[:-1]}0", name="UserTask7", kind="UserTask", caption="Approve")
    gone = Site(shown=[element("")], logged=False)
    gone.carry_out(known(planned(ONE + "    verify: log\n"), designed))
    assert (gone.end.exit_code, len(gone.executed_ids)) == (3, 1)
    for step, code in ((ONE, 3), (WITH_VALUES, 4)):
        lost = Site(shown=[element("Approve")], answers=[unanswered()])
        lost.carry_out(planned(step + "    verify: log\n"))
        assert (lost.end.exit_code, len(lost.executed_ids)) == (code, 1)


@pytest.mark.parametrize("step", [ONE, WITH_VALUES])
def test_a_fault_that_came_after_the_element_was_executed_is_settled_by_its_row(step: str) -> None:
    site = Site(shown=[element("Approve", status="running")], answers=[refused(500, unproved=True)])
    site.executes_refused = True
    site.carry_out(planned(step))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", "inferred")
    refusing = Site(shown=[element("Approve")], answers=[refused(500, unproved=True)])
    refusing.carry_out(planned(step))
    assert (refusing.finished("a").status, refusing.end.exit_code) == ("failed", 1)


@pytest.mark.parametrize(("step", "ended"), [(ONE, ("failed", 1)), (WITH_VALUES, ("unknown", 4))])
def test_a_fault_after_which_nothing_shows_the_element_leaves_its_values_in_doubt(
    step: str, ended: tuple[str, int]
) -> None:
    class Hidden(Site):
        def _execute_element(self, key: str) -> None:
            super()._execute_element(key)
            self.stored = self.logged = False

    site = Hidden(shown=[element("Approve")], answers=[refused(500, unproved=True)], executes_refused=True)
    site.carry_out(planned(step))
    assert (site.finished("a").status.value, site.end.exit_code) == ended
    assert len(site.executed_ids) == 1


def test_two_elements_of_one_caption_look_the_same_and_nothing_is_sent() -> None:
    site = Site(shown=[element("Approve", 1), element("Approve", 2)])
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.executed_ids) == ("E221", [])


def test_what_goes_through_items_by_itself_is_never_executed() -> None:
    site = Site(shown=[element("Approve", kind="ProcessSchemaFlowIteratorGateway")])
    site.carry_out(planned(ONE))
    assert (site.end.exit_code, site.executed_ids) == (1, [])


def test_an_element_in_error_may_be_executed_unless_its_process_was_cancelled() -> None:
    site = Site(shown=[element("Approve", status="error")])
    site.carry_out(planned(ONE))
    assert site.finished("a").status == "passed"
    over = Site(shown=[element("Approve", status="error")])
    over.rows[0]["status"] = "cancelled"
    over.carry_out(planned(ONE))
    assert (over.end.exit_code, over.executed_ids) == (1, [])


def test_elements_that_cannot_be_read_are_an_error_and_nothing_is_sent() -> None:
    site = Site(shown=[element("Approve")], stored=False, logged=False)
    site.carry_out(planned(ONE))
    assert (site.end.exit_code, site.executed_ids) == (3, [])


def test_a_lost_answer_is_settled_by_the_elements_own_row_and_never_sent_again() -> None:
    site = Site(shown=[element("Approve")], answers=[unanswered()])
    site.carry_out(planned(WITH_VALUES))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", "inferred")
    assert len(site.executed_ids) == 1


def test_a_lost_answer_of_an_element_that_has_not_moved_proves_nothing_and_is_settled_later() -> None:
    site = Site(shown=[element("Approve")], answers=[unanswered()], lost=True, verdicts=[{"as": "unknown"}])
    site.carry_out(planned(WITH_VALUES))
    assert (site.end.exit_code, site.executed_ids) == (4, [])
    moved = Site(shown=[element("Approve")], answers=[unanswered()], lost=True, moves_late=True)
    moved.verdicts = [{"as": "unknown"}, {"as": "log"}]
    moved.carry_out(planned(WITH_VALUES))
    assert (moved.finished("a").status, moved.finished("a").verified, moved.end.exit_code) == ("passed", "inferred", 0)


def test_a_lost_answer_of_a_plain_element_passes_where_it_moved() -> None:
    site = Site(shown=[element("Approve")], answers=[unanswered()])
    site.carry_out(planned(ONE))
    assert (site.finished("a").status, site.finished("a").verified) == ("passed", "inferred")


def test_who_names_no_process_gets_a_sentence_and_nothing_is_sent() -> None:
    site = Site(shown=[element("Approve")])
    site.carry_out(planned(ONE.replace(PROCESS, "nonsense")))
    error = site.finished("a").error
    assert error is not None
    assert (error.code, site.executed_ids) == ("E113", [])


def test_verify_none_does_not_look_at_the_element_again() -> None:
    site = Site(shown=[element("Approve")], moves=False)
    site.carry_out(planned(ONE + "    verify: none\n"))
    assert site.sent == ["read element data", "read elements", "element e1e00000"]
    assert (site.finished("a").verified, site.finished("a").warnings) == (None, ())


WITH_VALUES_EACH = f"""  - id: c
    elements:
      of: {PROCESS}
      chain:
        - {{name: Approve, parameters: {{A: 1}}}}
        - {{name: Create, parameters: {{A: 2}}}}
        - {{name: Send, parameters: {{}}}}
    timeout: 30s
"""


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("lost", [False, True])
def test_whichever_answer_of_a_chain_is_lost_nothing_is_executed_twice_and_what_happened_is_known(
    number: int, *, lost: bool
) -> None:
    answers: list[Json | CallFailed] = [*[None] * number, unanswered()]
    site = Site(shown=[element("Approve")], next=["Create", "Send"], answers=answers, lost=lost)
    site.carry_out(planned(WITH_VALUES_EACH))
    row = site.finished(f"c[{number}]")
    assert (row.status, row.verified) == (("unknown", None) if lost else ("passed", "inferred"))
    assert len(site.executed_ids) == len(set(site.executed_ids)) == (number if lost else 3)
    assert site.end.exit_code == (4 if lost else 0)


def test_a_chain_that_is_stopped_at_any_point_executes_nothing_twice_and_nothing_afterwards() -> None:
    whole = Site(shown=[element("Approve")], next=["Create", "Send"])
    whole.carry_out(planned(WITH_VALUES_EACH))
    for place in range(1, len([one for one in whole.effects if isinstance(one, Send | Sleep)]) + 1):
        site = Site(shown=[element("Approve")], next=["Create", "Send"], stop_at={place: "SIGINT"})
        site.carry_out(planned(WITH_VALUES_EACH))
        assert len(site.executed_ids) == len(set(site.executed_ids))
        assert site.end.exit_code in (130, 4)
        rows = site.statuses_of_rows()
        assert list(rows.values()).count("passed") <= len(site.executed_ids)
        assert {*rows} == {"c", "c[0]", "c[1]", "c[2]"}, "what was left out is in the report"
        begun = [key for key in rows if not rows[key].startswith("skipped")]
        assert [key for key in rows if key not in begun] == [f"c[{n}]" for n in range(len(begun) - 1, 3)]


def test_a_chain_of_a_turn_that_is_stopped_leaves_out_its_rest_and_the_other_turns() -> None:
    world = World(stop_at={2: "SIGINT"})
    world.carry_out(planned(f"  - id: many\n    for_each: [1, 2]\n    elements: [{PROCESS}, {PROCESS}, {PROCESS}]\n"))
    assert list(world.statuses_of_rows().items()) == [
        ("many[0][0]", "passed"),
        ("many[0][1]", "error"),
        ("many[0]", "error"),
        ("many[0][2]", "skipped: stopped"),
        ("many[1]", "skipped: stopped"),
    ]


def test_a_caption_that_no_log_may_show_and_no_design_knows_is_an_error_at_once() -> None:
    site = Site(shown=[element("")], logged=False)
    site.carry_out(planned(ONE))
    assert (site.end.exit_code, site.executed_ids, site.t < 10) == (3, [], True)


@pytest.mark.parametrize(
    ("verify", "values", "ended"),
    [
        ("auto", "", ("passed", 0, True)),
        ("none", "", ("passed", 0, False)),
        ("log", "", ("error", 3, False)),
        ("log", ", parameters: {Level: 2}", ("unknown", 4, False)),
    ],
)
def test_an_element_that_is_executed_by_its_id_alone_is_not_verified(
    verify: str, values: str, ended: tuple[str, int, bool]
) -> None:
    site = Site(shown=[element("Approve")])
    key = site.shown[0]["id"]
    site.carry_out(planned(f"  - id: a\n    element: {{uid: {key}{values}}}\n    verify: {verify}\n"))
    row = site.finished("a")
    why = "not verified: by its id alone, the process log does not show an element"
    assert (row.status, site.end.exit_code, why in row.warnings) == ended
    assert row.verified is None
    assert row.error is None or (row.error.code, row.error.message) == ("E208", why)


def test_elements_that_may_not_be_read_are_not_asked_for_again() -> None:
    site = Site(shown=[element("Approve")], stored=False, logged=False)
    site.carry_out(planned(ONE))
    error = site.finished("a").error
    assert error
    assert (error.code, site.pauses, site.end.exit_code) == ("E220", [], 3)


class Strange(Site):
    """The log of elements shows a status that nobody knows where an element runs."""

    def _ending(self, send: Send) -> Ending:
        ending = super()._ending(send)
        if isinstance(send.call, ReadElements) and isinstance(ending, Answered) and isinstance(ending.value, list):
            rows = [each for each in ending.value if isinstance(each, dict)]
            strange: list[Json] = [
                {**each, "status": "1" * 8} if each["status"] == "running" else each for each in rows
            ]
            return replace(ending, value=strange)
        return ending


def test_where_the_log_of_elements_has_a_status_that_nobody_knows_what_the_engine_stores_counts() -> None:
    site = Strange(shown=[element("Approve")], next=["Create", "Send"])
    site.carry_out(planned(CHAIN))
    assert (len(site.executed_ids), site.finished("c").status, site.finished("c[2]").verified) == (3, "passed", True)
    stays = Strange(shown=[element("Approve")], moves=False)
    stays.carry_out(planned(ONE))
    assert (stays.finished("a").status, stays.finished("a").verified) == ("passed", None)
    assert "is not known" not in " ".join(stays.finished("a").warnings)
    hidden = Strange(shown=[element("Approve")], stored=False)
    hidden.carry_out(planned(ONE))
    error = hidden.finished("a").error
    assert error is not None
    assert error.message.endswith("; its elements: Approve (11111111)")


@pytest.mark.parametrize(("seconds", "status"), [(8.0, "unknown"), (1.0, "failed")])
def test_what_a_gateway_answers_seconds_after_an_element_was_called_is_no_answer(seconds: float, status: str) -> None:
    site = Site(
        shown=[element("Approve")], moves=False, answers=[refused(unproved=True)], needs={"element e1e00000": seconds}
    )
    site.carry_out(planned(f"{ONE}    effect: once\n"))
    assert site.finished("a").status == status
    by_id = Site(answers=[refused(unproved=True)], needs={"element 7d8f6f3e": seconds})
    by_id.carry_out(planned(f"  - id: a\n    element: {{uid: {DESIGN}}}\n    effect: once\n"))
    assert by_id.finished("a").status == status
