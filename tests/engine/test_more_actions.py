"""Stories of `run`, `wait`, `query`, `confirm`, `pause`, `for_each` and included jobs."""

import pytest
from stories import World, including, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepSkipped, StepStarted
from runner.service.calls import (
    Answered,
    CallFailed,
    Ending,
    ExecuteCall,
    QueryCall,
    ReadElementData,
    ReadElements,
    RunProcessCall,
)

GUID = "00000000-0000-0000-0000-000000000001"
RUN = "  - id: a\n    run: {process: UsrA, results: [Score]}\n"


def test_a_run_that_is_done_is_proved_by_its_answer_and_the_log_shows_that_it_is_alone() -> None:
    world = World(answers=[{"Score": 42}]).carry_out(planned(RUN + "    expect: [result.Score == 42]\n"))
    assert world.sent == ["read watermark", "run UsrA", "who am i", "read rows"]
    step = world.finished("a")
    assert (step.status, step.verified, step.process_id, step.result) == ("passed", True, GUID, {"Score": 42})


def test_a_run_that_failed_shows_the_logs_text_whatever_its_results_say() -> None:
    world = World(answers=[{"Score": 42}], statuses=["error"]).carry_out(planned(RUN))
    step = world.finished("a")
    assert step.status == "failed"
    assert step.error
    assert "Divide by zero" in step.error.message
    assert world.sent[-2:] == ["read row", "read elements"]


class Answering(World):
    """The answer says something else than the row, as it is at first."""

    answered = "done"
    error: str | None = None

    def _row(self, process_id: str) -> Ending:
        if self.t < self.shown_from.get(process_id, 0.0):
            return Answered(value=None)
        ending = super()._row(process_id)
        assert isinstance(ending, Answered)
        if isinstance(ending.value, dict) and ending.value["status"] == "error":
            ending.value["error"] = "Divide by zero"
        return ending

    def _run(self, call: RunProcessCall) -> Ending:
        ending = super()._run(call)
        assert isinstance(ending, Answered)
        assert isinstance(ending.value, dict)
        return Answered(value={**ending.value, "status": self.answered, "error": self.error})


def test_the_reason_of_a_run_that_failed_is_waited_for_where_the_log_is_not_as_far() -> None:
    world = Answering(answers=[{}], statuses=["running"], later=["running", "error"])
    world.answered = "error"
    step = world.carry_out(planned(RUN)).finished("a")
    assert step.error is not None
    assert step.error.message == "the process failed: Divide by zero"
    never = Answering(answers=[{}], statuses=["running"])
    never.answered = "error"
    step = never.carry_out(planned(RUN)).finished("a")
    assert (step.status, never.sent.count("read row")) == ("failed", 3)


@pytest.mark.parametrize("stopped", [3, 4, 5])
def test_a_run_that_failed_has_failed_where_it_is_stopped_before_its_reason_is_known(stopped: int) -> None:
    world = Answering(answers=[{}], statuses=["running"], stop_at={stopped: "SIGINT"})
    world.answered = "error"
    assert world.carry_out(planned(RUN)).finished("a").status == "failed"


@pytest.mark.parametrize(("row", "status"), [("done", "passed"), ("error", "failed"), ("running", "unknown")])
def test_a_run_whose_answer_holds_an_error_beside_its_success_is_proved_by_the_log(row: str, status: str) -> None:
    world = Answering(answers=[{"Score": 1}], statuses=[row])
    world.error = "boom"
    assert world.carry_out(planned(RUN)).finished("a").status == status
    assert world.sent.count("read row") >= 1


@pytest.mark.parametrize(("row", "status"), [("running", "passed"), ("done", "passed"), ("error", "failed")])
def test_a_run_that_only_starts_its_process_and_answers_with_an_error_is_proved_by_the_log(
    row: str, status: str
) -> None:
    started = RUN.replace("}", ", until: started}", 1)
    world = Answering(answers=[{"Score": 1}], statuses=[row])
    world.answered, world.error = "running", "no right to start"
    assert world.carry_out(planned(started)).finished("a").status == status
    assert world.sent.count("read row") >= 1
    unread = Answering(answers=[{"Score": 1}], statuses=[row])
    unread.answered, unread.error = "running", "no right to start"
    step = unread.carry_out(planned(started + "    verify: none\n")).finished("a")
    assert step.warnings == ("not verified: the answer holds an error, too: no right to start",)
    assert step.verified is None


def test_without_a_log_an_error_beside_the_success_of_a_run_is_a_warning() -> None:
    world = Answering(answers=[{"Score": 1}])
    world.error = "boom"
    step = world.carry_out(planned(RUN + "    verify: none\n")).finished("a")
    assert (step.status, step.verified, "read row" in world.sent) == ("passed", None, False)
    assert step.warnings == ("not verified: the answer holds an error, too: boom",)
    assert step.verified is None
    secret = Answering(answers=[{"Score": 1}])
    secret.error = "boom"
    step = secret.carry_out(planned(RUN + "    verify: none\n    secret: true\n")).finished("a")
    assert step.warnings == ("not verified: the answer holds an error, too",)


@pytest.mark.parametrize("lag", [2.5, 14.0])
def test_a_run_that_the_log_has_to_confirm_waits_for_its_row(lag: float) -> None:
    step = "  - id: a\n    run: {process: UsrA}\n    verify: log\n"
    world = Answering(answers=[{}], statuses=["error"], lags=[lag])
    assert world.carry_out(planned(step)).finished("a").status == "failed"


def test_a_run_that_was_answered_as_done_and_is_not_in_the_log_says_so() -> None:
    world = Answering(answers=[{}], lags=[3600.0])
    error = world.carry_out(planned("  - id: a\n    run: {process: UsrA}\n    verify: log\n")).finished("a").error
    assert error is not None
    assert error.message.startswith("not verified: the service answered `done`, and the process log")
    assert (error.hint or "").endswith("; `verify: auto` passes such a call")


def test_a_run_is_followed_to_its_end_by_its_id() -> None:
    world = World(answers=[{}], statuses=["running"], later=["running", "done"]).carry_out(planned(RUN))
    assert world.sent.count("read row") == 2
    assert world.finished("a").status == "passed"
    failed = World(answers=[{}], statuses=["running"], later=["error"]).carry_out(planned(RUN))
    assert failed.end.exit_code == 1


def test_a_run_until_started_does_not_wait_for_its_end() -> None:
    step = "  - id: a\n    run: {process: UsrA, until: started}\n"
    world = World(answers=[{}], statuses=["running"]).carry_out(planned(step))
    assert (world.finished("a").status, "read row" in world.sent) == ("passed", False)


def test_a_run_that_never_ends_is_unknown_after_its_own_time() -> None:
    world = World(answers=[{}], statuses=["running"]).carry_out(planned(RUN + "    timeout: 20s\n"))
    assert world.end.exit_code == 4
    assert 20 <= world.t < 45


def test_a_queued_run_is_found_in_the_log_and_followed() -> None:
    world = World(answers=[{}], statuses=["queued"], later=["done"], late_rows=2).carry_out(planned(RUN))
    assert world.sent.count("read rows") == 3
    assert (world.finished("a").status, world.finished("a").process_id) == ("passed", GUID)


def test_a_queued_run_until_started_passes_without_proof() -> None:
    step = "  - id: a\n    run: {process: UsrA, until: started}\n"
    world = World(answers=[{}], statuses=["queued"]).carry_out(planned(step))
    assert (world.finished("a").status, world.finished("a").verified) == ("passed", None)
    assert world.finished("a").warnings


def test_a_queued_run_that_never_begins_is_unknown() -> None:
    world = World(answers=[{}], statuses=["queued"], late_rows=99)
    world.carry_out(planned(RUN + "    timeout: 10s\n"))
    assert world.end.exit_code == 4


def test_a_queued_run_without_results_hints_at_what_gives_an_id() -> None:
    for step, word in ((RUN, "look at the process log"), (RUN.replace(", results: [Score]", ""), "`results`")):
        world = World(answers=[{}], statuses=["queued"], late_rows=99)
        error = world.carry_out(planned(step + "    timeout: 3s\n")).finished("a").error
        assert error
        assert word in (error.hint or "")


def test_a_value_that_came_before_its_process_ended_is_not_blamed_on_its_spelling() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: Out}\n"
    for statuses, word in ((["running"], "still ran when it answered"), (["done"], "a code that the process does not")):
        world = World(statuses=list(statuses), later=["done"]).carry_out(planned(step))
        assert (world.finished("a").status, word in world.finished("a").warnings[0]) == ("passed", True)
        strict = step.replace("Out", "Out, required: true")
        error = World(statuses=list(statuses), later=["done"]).carry_out(planned(strict)).finished("a").error
        assert error
        assert (error.code, word in (error.hint or "")) == ("E206", True)


class NotLogged(World):
    """The log shows no row by its id, whatever started."""

    def _row(self, process_id: str) -> Ending:
        return super()._row(f"not {process_id}")


def test_a_run_whose_row_never_comes_is_waited_for_no_longer_than_settle() -> None:
    world = NotLogged(statuses=["running"]).carry_out(planned(RUN))
    error = world.finished("a").error
    assert error
    assert (error.code, world.end.exit_code) == ("E208", 4)
    assert "the log does not show it after 15 s" in error.message
    assert world.t < 25.0


@pytest.mark.parametrize("action", ["wait", "cancel"])
def test_nobody_is_asked_to_check_an_id_that_the_service_gave(action: str) -> None:
    step = f"  - id: b\n    {action}: {{process_id: '{{{{ steps.a.process_id }}}}'}}\n"
    start = "  - id: a\n    run: {process: UsrA, until: started}\n"
    error = NotLogged(statuses=["running"]).carry_out(planned(start + step)).finished("b").error
    assert error
    assert (error.code, (error.hint or "")[:25]) == ("E208", "the service gave this id,")


def test_a_run_that_was_refused_failed_and_one_not_answered_is_unknown() -> None:
    assert World(answers=[refused()]).carry_out(planned(RUN)).end.exit_code == 1
    assert World(answers=[unanswered()]).carry_out(planned(RUN)).end.exit_code == 4


WAIT = f"  - id: a\n    wait: {{process_id: {GUID}}}\n"


def waiting(*later: str, status: str = "running") -> World:
    world = World(later=list(later))
    world.add_row("UsrA", status)
    return world


def test_a_wait_looks_more_and_more_seldom_until_the_process_is_done() -> None:
    world = waiting("running", "running", "running", "done").carry_out(planned(WAIT))
    assert world.pauses == [1.0, 1.5, 2.25]
    assert world.finished("a").status == "passed"


def test_a_wait_for_a_good_end_fails_at_a_bad_one_and_a_wait_for_any_end_does_not() -> None:
    failed = waiting("error").carry_out(planned(WAIT))
    assert failed.finished("a").status == "failed"
    ended = WAIT.replace("}", ", for: ended}")
    passed = waiting("error").carry_out(planned(ended + '    expect: [process_status == "error"]\n'))
    assert passed.finished("a").status == "passed"


def test_a_wait_for_a_parked_process_needs_an_element_that_waits() -> None:
    parked = WAIT.replace("}", ", for: parked}")
    world = waiting()
    world.elements = [[], [{"uid": "x", "status": "running"}]]
    world.carry_out(planned(parked))
    assert world.finished("a").status == "passed"
    ended = waiting("done").carry_out(planned(parked))
    assert ended.finished("a").status == "failed"


@pytest.mark.parametrize(
    ("kind", "is_sure"),
    [("ProcessSchemaSubProcess", False), ("ScriptTask", True), ("ProcessSchemaFlowIteratorGateway", True)],
)
@pytest.mark.parametrize("is_stored", [False, True])
def test_an_element_that_works_by_itself_waits_for_nobody(kind: str, *, is_stored: bool, is_sure: bool) -> None:
    class Working(World):
        def _ending(self, send: Send) -> Ending:
            works: JsonObject = {"id": "1", "uid": "x", "status": "running"}
            waits: JsonObject = {"id": "2", "uid": "y", "status": "running"}
            shown: list[JsonObject] = [works] if self.t < 9 else [works, waits]
            match send.call:
                case ReadElementData():
                    return Answered(value=[*shown] if is_stored else [])
                case ReadElements():
                    kinds = {"x": kind, "y": "ProcessSchemaUserTask"}
                    return Answered(value=[{**each, "kind": kinds[str(each["uid"])]} for each in shown])
                case _:
                    return super()._ending(send)

    world = Working(later=[])
    world.add_row("UsrA", "running")
    world.carry_out(planned(WAIT.replace("}", ", for: parked}")))
    assert (world.finished("a").status, world.t >= 9, world.finished("a").warnings == ()) == (
        "passed",
        is_sure,
        is_sure,
    )


def test_a_wait_that_is_over_failed_and_says_what_the_log_did_not_show() -> None:
    late = waiting().carry_out(planned(WAIT + "    timeout: 5s\n"))
    assert (late.finished("a").status, late.end.exit_code) == ("failed", 1)
    nothing = World().carry_out(planned(WAIT + "    timeout: 5s\n"))
    error = nothing.finished("a").error
    assert error
    assert "no process of this id" in error.message
    parked = waiting().carry_out(planned(WAIT.replace("}", ", for: parked}") + "    timeout: 5s\n"))
    error = parked.finished("a").error
    assert error
    assert error.message == "the process still runs after 5 s, and none of its elements waits for a person"
    assert error.hint
    assert error.hint.startswith("`wait: {process_id: ")


class OneSource(World):
    """Where the elements of processes are read, `readable` answers, and the other source refuses."""

    readable: type = ReadElements

    def _ending(self, send: Send) -> Ending:
        if isinstance(send.call, ReadElements | ReadElementData):
            waits: list[Json] = [{"id": "x", "uid": "x", "status": "running"}]
            return Answered(value=waits) if isinstance(send.call, self.readable) else refused(403)
        return super()._ending(send)


@pytest.mark.parametrize("source", [ReadElements, ReadElementData])
def test_a_parked_process_is_seen_where_one_source_of_elements_can_be_read(source: type) -> None:
    world = OneSource(later=[])
    world.readable = source
    world.add_row("UsrA", "running")
    assert world.carry_out(planned(WAIT.replace("}", ", for: parked}"))).finished("a").status == "passed"


def test_elements_that_cannot_be_read_are_not_called_absent() -> None:
    parked = planned(WAIT.replace("}", ", for: parked}") + "    timeout: 5s\n")
    closed = waiting()
    closed.elements_log = refused(403)
    error = closed.carry_out(parked).finished("a").error
    assert error
    assert (error.message, closed.pauses, closed.end.exit_code) == (
        "`wait` reads the elements of the process, which cannot be read: no right",
        [],
        3,
    )
    broken = waiting()
    broken.elements_log = unanswered()
    error = broken.carry_out(parked).finished("a").error
    assert error
    assert error.message.endswith(
        "none of its elements waits for a person, as far as they can be read: no answer within 100 s"
    )


def test_the_id_of_no_process_is_waited_for_no_longer_than_a_row_may_be_late() -> None:
    for step in (WAIT, f"  - id: a\n    element: {{of: {GUID}, name: Approve}}\n"):
        world = World().carry_out(planned(step))
        error = world.finished("a").error
        assert error
        assert "the process log shows no process" in error.message
        assert 15 <= world.t < 30


@pytest.mark.parametrize("wanted", ["ended", "completed", "parked"])
def test_a_wait_takes_no_status_that_is_not_known_for_an_end(wanted: str) -> None:
    steps = WAIT.replace("}", f", for: {wanted}}}") + "    timeout: 5s\n"
    strange = waiting("suspended").carry_out(planned(steps)).finished("a")
    assert strange.error is not None
    assert strange.error.message == "the process log shows the status suspended, which is not known"
    masked = waiting()
    masked.rows[0]["status"] = None
    error = masked.carry_out(planned(steps)).finished("a").error
    assert error is not None
    assert error.message == "the process log shows its row without a status after 5 s"


@pytest.mark.parametrize("wanted", ["ended", "completed", "parked"])
def test_a_status_that_the_log_never_shows_is_waited_for_no_longer_than_a_row_may_be_late(wanted: str) -> None:
    masked = waiting()
    masked.rows[0]["status"] = None
    error = masked.carry_out(planned(WAIT.replace("}", f", for: {wanted}}}"))).finished("a").error
    assert error is not None
    assert error.message == "the process log shows its row without a status after 15 s"
    assert 15 <= masked.t < 30


def test_a_wait_without_a_log_is_an_error_at_once() -> None:
    world = World(log=refused(403)).carry_out(planned(WAIT))
    assert (world.pauses, world.end.exit_code) == ([], 3)


QUERY = "  - id: a\n    query: {entity: Contact, top: 3}\n"


def test_a_query_reads_every_page() -> None:
    first: JsonObject = {"records": [{"Id": 1}, {"Id": 2}], "next": "/odata/Contact?$skip=2"}
    world = World(answers=[first, {"records": [{"Id": 3}], "next": None}]).carry_out(planned(QUERY))
    assert world.sent == ["query", "query next"]
    assert world.finished("a").result == [{"Id": 1}, {"Id": 2}, {"Id": 3}]


def test_a_page_without_records_may_lead_to_some() -> None:
    empty: JsonObject = {"records": [], "next": "/odata/Contact?$skip=2"}
    world = World(answers=[empty, {"records": [{"Id": 3}], "next": None}]).carry_out(planned(QUERY))
    assert world.finished("a").result == [{"Id": 3}]


@pytest.mark.parametrize("records", [[], [{"Id": 1}]])
def test_no_circle_of_pages_is_followed(records: list[Json]) -> None:
    page: JsonObject = {"records": records, "next": "/odata/Contact?$skip=2"}
    world = World(answers=[page] * 3).carry_out(planned(QUERY))
    assert (world.sent, world.end.exit_code) == (["query", "query next"], 3)
    error = world.finished("a").error
    assert error
    assert error.code == "E307"


def test_no_more_pages_without_records_are_followed_than_an_attempt_has_time_for() -> None:
    pages: list[Json | CallFailed] = [{"records": [], "next": f"/odata/Contact?$skip={n}"} for n in range(9)]
    world = World(answers=pages, call_seconds=40.0).carry_out(planned(QUERY))
    assert (world.sent, world.end.exit_code) == (["query", "query next", "query next"], 3)


def test_more_records_than_top_are_an_error_and_never_cut_off() -> None:
    page: JsonObject = {"records": [{"Id": n} for n in range(4)], "next": None}
    world = World(answers=[page]).carry_out(planned(QUERY))
    error = world.finished("a").error
    assert error
    assert error.code == "E209"
    call = next(getattr(effect, "call", None) for effect in world.effects if hasattr(effect, "call"))
    assert isinstance(call, QueryCall)
    assert call.top == 4


@pytest.mark.parametrize(
    ("number", "top", "code"), [(20_000, 30_000, "E209"), (19_999, 30_000, None), (20_000, 20_000, "E209")]
)
def test_as_many_records_as_a_site_gives_at_most_are_no_whole(number: int, top: int, code: str | None) -> None:
    page: JsonObject = {"records": [{"Id": n} for n in range(number)], "next": None}
    world = World(answers=[page]).carry_out(planned(QUERY.replace("top: 3", f"top: {top}")))
    error = world.finished("a").error
    assert (error and error.code) == code


def test_a_filter_is_a_template() -> None:
    rest = 'vars: {who: "O\'Neil"}'
    step = "  - id: a\n    query: {entity: Contact, filter: 'Name eq {{ vars.who | odata }}'}\n"
    world = World(answers=[{"records": [], "next": None}]).carry_out(planned(step, rest=rest))
    call = next(getattr(effect, "call", None) for effect in world.effects if hasattr(effect, "call"))
    assert isinstance(call, QueryCall)
    assert call.filter == "Name eq 'O''Neil'"


@pytest.mark.parametrize("text", ["", "  "])
def test_a_filter_that_is_empty_reads_nothing(text: str) -> None:
    step = "  - id: a\n    query: {entity: Contact, filter: '{{ vars.which }}'}\n"
    world = World().carry_out(planned(step, rest=f"vars: {{which: '{text}'}}"))
    error = world.finished("a").error
    assert error
    assert (error.code, error.hint) == ("E207", "to read them all, leave it out")
    assert not any(hasattr(effect, "call") for effect in world.effects)


def test_a_query_that_is_not_answered_may_be_retried() -> None:
    step = QUERY + "    retry: {max_attempts: 2, on: [unanswered]}\n"
    world = World(answers=[unanswered(), {"records": [], "next": None}]).carry_out(planned(step))
    assert (world.finished("a").status, world.finished("a").flaky) == ("passed", True)


def test_a_person_says_yes_or_the_step_fails() -> None:
    step = "  - id: a\n    confirm: 'Delete {{ target.name }}?'\n"
    yes = World().carry_out(planned(step))
    assert "ask Delete here?" in yes.story
    assert yes.finished("a").result is True
    no = World(says=False).carry_out(planned(step))
    assert (no.finished("a").status, no.end.exit_code) == ("failed", 1)


def test_a_pause_waits_and_sends_nothing() -> None:
    world = World().carry_out(planned("  - id: a\n    pause: 5s\n"))
    assert (world.pauses, world.sent, world.end.exit_code) == ([5.0], [], 0)


LOOP = (
    "  - id: many\n    for_each: [x, y, z]\n"
    "    execute: {process: UsrA, parameters: {N: '{{ item }}', I: '{{ index }}'}, result: R}\n"
    "    verify: none\n    outputs: {twice: result ~ result}\n"
)


def test_a_loop_is_a_row_a_turn_and_none_of_its_own() -> None:
    after = "  - id: b\n    if: steps.many.result == ['1', '2', '3']\n    pause: 1s\n"
    rest = "outputs: {all: steps.many.outputs.twice, second: 'steps.many.turns[1].result', how: steps.many.status}"
    world = World(answers=["1", "2", "3"]).carry_out(planned(LOOP + after, rest=rest))
    assert world.statuses_of_rows() == {"many[0]": "passed", "many[1]": "passed", "many[2]": "passed", "b": "passed"}
    assert world.end.outputs == {"all": ["11", "22", "33"], "second": "2", "how": "passed"}


def test_a_turn_that_does_not_pass_keeps_its_item_unless_that_is_secret() -> None:
    failing = LOOP + "    expect: [item != 'y']\n"
    assert World(answers=["1", "2"]).carry_out(planned(failing)).finished("many[1]").item == "y"
    secret = failing.replace("[x, y, z]", "inputs.names")
    made = planned(secret, rest="inputs: {names: {secret: true}}", inputs={"names": ["x", "y"]})
    assert World(answers=["1", "2"]).carry_out(made).finished("many[1]").item is None


def test_a_loop_has_the_attributes_of_a_step_and_each_of_its_turns_has_them_too() -> None:
    retried = "    retry: {max_attempts: 2, initial: 1s, jitter: false, on: [refused]}\n"
    rest = (
        "outputs:\n  turns: steps.many.attempts\n  seconds: steps.many.seconds\n"
        "  tries: 'steps.many.turns | map(attribute=\"attempts\") | list'\n"
        "  each: 'steps.many.turns | map(attribute=\"seconds\") | list'\n"
        "  how: 'steps.many.turns | map(attribute=\"status\") | unique | list'\n"
        "  last: steps.many.turns[-1].outputs.twice\n"
        "  process: steps.many.turns[0].process_id is none\n"
    )
    world = World(answers=["1", refused(), "2", "3"], call_seconds=2.0).carry_out(planned(LOOP + retried, rest=rest))
    assert world.end.outputs == {
        "turns": 3, "seconds": 9.0, "tries": [1, 2, 1], "each": [2.0, 5.0, 2.0], "how": ["passed"], "last": "33",
        "process": True,
    }  # fmt: skip


def test_the_first_turn_that_does_not_pass_ends_the_loop() -> None:
    world = World(answers=["1", refused()]).carry_out(planned(LOOP))
    assert world.statuses_of_rows() == {"many[0]": "passed", "many[1]": "failed", "many[2]": "skipped: stopped"}
    assert world.end.exit_code == 1
    [skipped] = [event for event in world.events if isinstance(event, StepSkipped)]
    assert (skipped.by, skipped.item, skipped.row.index) == ("many[1]", "z", 2)


def test_the_item_of_a_turn_that_is_left_out_is_not_shown_where_it_is_secret() -> None:
    declared = "inputs:\n  keys: {type: array, secret: true}\n"
    steps = LOOP.replace("[x, y, z]", "inputs.keys")
    world = World(answers=[refused()]).carry_out(planned(steps, inputs={"keys": ["k1", "k2"]}, rest=declared))
    assert [event.item for event in world.events if isinstance(event, StepSkipped)] == [None]


@pytest.mark.parametrize(("on_failure", "exit_code"), [("continue", 1), ("ignore", 0)])
def test_a_loop_whose_failures_let_it_go_on_takes_every_turn(on_failure: str, exit_code: int) -> None:
    world = World(answers=["1", refused(), "3"]).carry_out(planned(LOOP + f"    on_failure: {on_failure}\n"))
    assert world.statuses_of_rows() == {"many[0]": "passed", "many[1]": "failed", "many[2]": "passed"}
    assert world.end.exit_code == exit_code


@pytest.mark.parametrize(
    ("used", "lacks"),
    [
        ("steps.many.result[1]", "result"),
        ("steps.many.result[-2]", "result"),
        ("steps.many.result[1] ~ 'x'", "result"),
        ("steps.many.outputs.twice[0 + 1]", "outputs"),
    ],
)
def test_what_a_failed_turn_did_not_give_is_an_error_where_it_is_used(used: str, lacks: str) -> None:
    after = f'  - id: b\n    pause: 1s\n    outputs: {{b: "{used}"}}\n'
    rest = (
        "outputs: {all: steps.many.result, last: 'steps.many.outputs.twice[2]', "
        "left: steps.many.result | select | list}"
    )
    job = planned(LOOP + "    on_failure: ignore\n" + after, rest=rest)
    world = World(answers=["1", refused(), "3"]).carry_out(job)
    trouble = world.finished("b").error
    assert trouble is not None
    assert (trouble.code, trouble.message) == ("E207", f"`many[1]` has no {lacks}: it ended as `failed`")
    assert world.end.outputs == {"all": ["1", None, "3"], "last": "33", "left": ["1", "3"]}


def test_a_loop_over_another_lacks_the_item_that_a_failed_turn_did_not_give() -> None:
    after = "    on_failure: ignore\n" + LOOP.replace("many", "more").replace("[x, y, z]", "steps.many.outputs.twice")
    world = World(answers=["1", refused(), "3", "4", "5"]).carry_out(
        planned(LOOP + after + "    on_failure: continue\n")
    )
    assert [world.finished(f"more[{index}]").status for index in range(3)] == ["passed", "failed", "passed"]
    trouble = world.finished("more[1]").error
    assert trouble is not None
    assert trouble.message == "`many[1]` has no outputs: it ended as `failed`"


def test_an_unknown_turn_ends_the_loop_whatever_it_says() -> None:
    world = World(answers=["1", unanswered()]).carry_out(planned(LOOP + "    on_failure: ignore\n"))
    assert world.end.exit_code == 4
    assert world.statuses_of_rows()["many[2]"] == "skipped: stopped"


def test_a_loop_over_nothing_passes_and_its_row_is_skipped() -> None:
    rest = "outputs: {how: steps.many.status, all: steps.many.result}"
    world = World().carry_out(planned(LOOP.replace("[x, y, z]", "[]"), rest=rest))
    assert (world.statuses_of_rows(), world.end.outputs) == (
        {"many": "skipped: nothing"},
        {"how": "passed", "all": []},
    )
    assert world.end.exit_code == 0


def test_a_loop_over_something_that_is_no_list_is_a_failure_and_sends_nothing() -> None:
    world = World().carry_out(planned(LOOP.replace("[x, y, z]", "run.id")))
    assert world.statuses_of_rows() == {"many": "failed"}
    assert world.sent == []


def test_the_condition_of_a_loop_is_asked_once_without_an_item() -> None:
    world = World().carry_out(planned(LOOP.replace("    for_each", "    if: 1 == 2\n    for_each")))
    assert world.statuses_of_rows() == {"many": "skipped: condition"}


def test_a_retry_is_of_one_turn() -> None:
    step = LOOP + "    effect: read\n    retry: {max_attempts: 2, on: [unanswered]}\n"
    world = World(answers=["1", unanswered(), "2", "3"]).carry_out(planned(step))
    assert [world.finished(f"many[{n}]").attempts for n in range(3)] == [1, 2, 1]


def test_a_chain_in_a_loop_has_both_numbers_in_its_keys() -> None:
    step = f"  - id: many\n    for_each: [1, 2]\n    elements: [{GUID}]\n"
    world = World().carry_out(planned(step))
    assert list(world.statuses_of_rows()) == ["many[0][0]", "many[0]", "many[1][0]", "many[1]"]


INNER = """runner: 1
name: inner
inputs:
  who: {type: string}
  n: {type: integer, default: 1}
vars: {v: "{{ inputs.who }}!"}
steps:
  - id: one
    execute: {process: UsrIn, parameters: {W: "{{ vars.v }}"}, result: R}
    verify: none
  - execute: {process: UsrIn2}
    verify: none
finally:
  - id: clean
    execute: {process: UsrClean}
    verify: none
    effect: idempotent
outputs: {got: steps.one.result}
"""
WHO: JsonObject = {"who": "{{ target.name }}"}
OUTER = "  - id: outer\n    pause: 1s\n"
AFTER = "  - id: after\n    execute: {process: UsrAfter}\n    verify: none\n"


def test_an_included_job_has_rows_of_its_own_and_gives_its_outputs() -> None:
    made = including(planned(OUTER, rest="outputs: {x: steps.outer.result.got}"), INNER, inputs=WHO)
    world = World(answers=["found"]).carry_out(made)
    assert list(world.statuses_of_rows()) == ["outer/one", "outer/2", "outer/clean", "outer"]
    assert world.end.outputs == {"x": "found"}
    call = next(getattr(effect, "call", None) for effect in world.effects if hasattr(effect, "call"))
    assert isinstance(call, ExecuteCall)
    assert call.parameters == {"W": "here!"}


def test_an_included_job_that_fails_carries_out_its_finally_and_fails_its_step() -> None:
    made = including(planned(OUTER + AFTER), INNER, inputs=WHO)
    world = World(answers=[refused()]).carry_out(made)
    assert world.statuses_of_rows() == {
        "outer/one": "failed",
        "outer/2": "skipped: stopped",
        "outer/clean": "passed",
        "outer": "failed",
        "after": "skipped: stopped",
    }
    assert world.end.exit_code == 1


def test_an_included_job_that_ended_without_an_answer_says_so_and_shows_its_help() -> None:
    helpful = INNER.replace("name: inner\n", "name: inner\nhelp: Ask the CRM team.\n")
    world = World(answers=[not_sent(), not_sent(), not_sent()]).carry_out(
        including(planned(OUTER), helpful, inputs=WHO)
    )
    end = world.finished("outer")
    assert end.error is not None
    assert (end.status, end.error.code) == ("error", "E211")
    begun = [event.row for event in world.events if isinstance(event, StepStarted)]
    assert [row.help for row in begun if row.key == "outer"] == ["Ask the CRM team."]


def test_what_fails_in_an_included_job_counts_as_its_step_says() -> None:
    made = including(planned(OUTER + "    on_failure: ignore\n" + AFTER), INNER, inputs=WHO)
    assert World(answers=[refused()]).carry_out(made).end.exit_code == 0
    unknown = World(answers=[unanswered()]).carry_out(made)
    assert (unknown.statuses_of_rows()["after"], unknown.end.exit_code) == ("skipped: stopped", 4)


def test_an_input_that_only_the_run_knows_is_checked_before_the_included_job_begins() -> None:
    world = World().carry_out(including(planned(OUTER), INNER, inputs={"who": "x", "n": "{{ target.name }}"}))
    assert world.sent == []
    error = world.finished("outer").error
    assert error
    assert error.code == "E132"


def test_a_stop_in_an_included_job_carries_out_its_finally_and_then_the_outer_one() -> None:
    final = "finally:\n  - id: f\n    execute: {process: UsrFinal}\n    verify: none\n"
    made = including(planned(OUTER + AFTER + final), INNER, inputs=WHO)
    world = World(stop_at={1: "SIGINT"}).carry_out(made)
    assert world.statuses_of_rows() == {
        "outer/one": "error",
        "outer/2": "skipped: stopped",
        "outer/clean": "passed",
        "outer": "error",
        "after": "skipped: stopped",
        "f": "passed",
    }
    assert world.end.exit_code == 130


def test_a_name_of_the_including_job_is_no_name_of_the_included_one() -> None:
    inner = INNER.replace("{{ vars.v }}", "{{ vars.mine }}")
    world = World().carry_out(including(planned(OUTER, rest="vars: {mine: 1}"), inner, inputs=WHO))
    assert world.finished("outer/one").status == "failed"


def test_a_job_in_a_loop_has_the_turn_in_its_keys() -> None:
    made = including(planned(OUTER.replace("pause", "for_each: [1, 2]\n    pause")), INNER, inputs=WHO)
    world = World(answers=["x", None, None, not_sent()]).carry_out(made)
    assert list(world.statuses_of_rows())[:4] == ["outer[0]/one", "outer[0]/2", "outer[0]/clean", "outer[0]"]
    assert world.finished("outer[1]/one").attempts == 2


def answering(status: str, process_id: str | None = GUID) -> World:
    """A site whose RunProcess answers with this status."""

    class Site(World):
        def _run(self, call: RunProcessCall) -> Ending:
            self.add_row(call.process, "error")
            return Answered(value={"process_id": process_id, "status": status, "results": {"Score": None}})

    return Site()


@pytest.mark.parametrize("status", ["inactive", "99"])
@pytest.mark.parametrize("until", ["started", "done"])
def test_a_run_whose_status_is_neither_running_nor_ended_is_never_green(status: str, until: str) -> None:
    step = f"  - id: a\n    run: {{process: UsrA, until: {until}}}\n"
    assert answering(status).carry_out(planned(step)).end.exit_code in (1, 4)


def test_a_run_that_is_done_without_an_id_is_unknown() -> None:
    assert answering("done", None).carry_out(planned(RUN)).end.exit_code == 4


def test_verify_log_hears_the_log_also_of_a_run_whose_answer_is_done() -> None:
    assert answering("done").carry_out(planned(RUN + "    effect: read\n")).end.exit_code == 0
    world = answering("done").carry_out(planned(RUN + "    verify: log\n"))
    assert world.end.exit_code == 1
    error = world.finished("a").error
    assert error
    assert "Divide by zero" in error.message


def test_a_result_of_a_run_that_is_not_there_is_a_warning() -> None:
    world = answering("done").carry_out(planned(RUN + "    effect: read\n"))
    assert "`Score` is null" in world.finished("a").warnings[0]


def test_a_wait_looks_as_often_as_it_is_reported_to() -> None:
    step = WAIT.replace("}", ", every: 2s, max_every: 3s}")
    assert waiting("running", "running", "running", "done").carry_out(planned(step)).pauses == [2.0, 3.0, 3.0]


def test_a_stop_in_an_included_job_is_a_stop_of_the_outer_one_whatever_its_step_says() -> None:
    made = including(planned(OUTER + "    on_failure: ignore\n" + AFTER), INNER, inputs=WHO)
    world = World(stop_at={1: "SIGINT"}).carry_out(made)
    assert world.statuses_of_rows()["after"] == "skipped: stopped"
    assert "execute UsrAfter" not in world.sent


def test_finally_of_an_included_job_is_asked_its_own_conditions_after_a_failure() -> None:
    inner = INNER.replace("  - id: clean\n", '  - id: clean\n    if: steps.one.status == "failed"\n')
    world = World(answers=[refused()]).carry_out(including(planned(OUTER), inner, inputs=WHO))
    assert world.statuses_of_rows()["outer/clean"] == "passed"


@pytest.mark.parametrize("rest", ["", "    expect: [result | length > 0]\n"])
def test_a_loop_over_nothing_has_one_row_that_says_so_and_later_steps_see_that_it_passed(rest: str) -> None:
    step = "  - id: a\n    for_each: []\n    query: {entity: Contact}\n" + rest
    after = '  - id: b\n    if: steps.a.status == "passed" and steps.a.result == []\n    pause: 1ms\n'
    world = World().carry_out(planned(step + after))
    assert world.finished("b").status == "passed"
    skipped = [event for event in world.events if isinstance(event, StepSkipped)]
    assert [(event.row.key, event.reason) for event in skipped] == [("a", "nothing")]
    assert (world.sent, world.end.exit_code) == ([], 0)


def test_a_person_who_does_not_say_yes_fails_the_step() -> None:
    world = World(says=False).carry_out(planned("  - id: a\n    confirm: Go on?\n"))
    error = world.finished("a").error
    assert error is not None
    assert (error.code, world.end.exit_code) == ("E210", 1)


def test_where_nothing_says_how_a_process_ended_a_strict_step_does_not_pass() -> None:
    step = "  - id: a\n    execute: {process: UsrA}\n    verify: log\n"
    error = World(late_rows=99).carry_out(planned(step)).finished("a").error
    assert error is not None
    assert error.code == "E208"


def test_the_empty_guid_is_no_result_that_is_required() -> None:
    step = "  - id: a\n    execute: {process: UsrA, result: Id, required: true}\n    verify: none\n"
    nothing = "00000000-0000-0000-0000-000000000000"
    empty = World(answers=[nothing]).carry_out(planned(step))
    error = empty.finished("a").error
    assert error
    assert (empty.finished("a").status, error.code) == ("failed", "E206")
    plain = World(answers=["00000000-0000-0000-0000-000000000000"]).carry_out(
        planned(step.replace(", required: true", ""))
    )
    assert plain.finished("a").status == "passed"
    assert "is the empty GUID" in plain.finished("a").warnings[0]
