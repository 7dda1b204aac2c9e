"""Stories of `cancel`: what is sent, and what the process log has to say for the step to pass."""

import pytest
from stories import World, not_sent, planned, refused, unanswered

from runner.engine.effects import Send
from runner.service.calls import CallFailed, CancelCall, Ending, ReadRow

GUID = "00000000-0000-0000-0000-000000000001"
CANCEL = f"  - id: a\n    cancel: {{process_id: {GUID}}}\n"


def world(
    status: str = "running", *answers: CallFailed, immortal: bool = False, log: CallFailed | None = None
) -> World:
    made = World(answers=[*answers], immortal=immortal, log=log)
    made.add_row("UsrA", status)
    return made


@pytest.mark.parametrize("status", ["running", "error"])
def test_a_process_that_runs_or_is_in_error_is_cancelled_and_the_log_is_asked_whether_it_was(status: str) -> None:
    world_after = world(status).carry_out(planned(CANCEL + '    expect: [result.status == "cancelled"]\n'))
    assert world_after.sent == ["read row", "cancel", "read row"]
    end = world_after.finished("a")
    assert (end.status, end.verified, end.process_id) == ("passed", True, GUID)


@pytest.mark.parametrize("status", ["done", "cancelled"])
def test_nothing_is_sent_where_the_process_is_over_and_the_step_passes(status: str) -> None:
    world_after = world(status).carry_out(planned(CANCEL + f'    expect: [process_status == "{status}"]\n'))
    assert world_after.sent == ["read row"]
    assert (world_after.finished("a").status, world_after.finished("a").result["status"]) == ("passed", status)


@pytest.mark.parametrize(("status", "words"), [("running", "still runs"), ("error", "is still in error")])
def test_a_process_that_lives_on_is_a_failure_that_names_the_right(status: str, words: str) -> None:
    world_after = world(status, immortal=True).carry_out(planned(CANCEL))
    end = world_after.finished("a")
    assert end.error
    assert (end.status, end.error.code, end.verified) == ("failed", "E217", False)
    assert words in end.error.message
    assert "CanCancelProcess" in (end.error.hint or "")
    assert world_after.t >= 15  # the target's `settle`


class Slowly(World):
    """A process that is cancelled waits for its turn to be stopped, while its row is read again and again."""

    def _cancel(self, call: CancelCall) -> Ending:
        ending = super()._cancel(call)
        self.rows[0]["status"] = "cancelling"
        return ending


@pytest.mark.parametrize(("looks", "status", "code"), [(12, "passed", None), (90, "error", "E208")])
def test_a_process_that_is_being_cancelled_is_waited_for_within_the_time_of_the_step(
    looks: int, status: str, code: str | None
) -> None:
    made = Slowly(later=["cancelling"] * looks + ["cancelled"])
    made.add_row("UsrA", "error")
    end = made.carry_out(planned(CANCEL)).finished("a")
    assert (end.status, end.error and end.error.code) == (status, code)
    assert code is None or made.t > 100


def test_a_process_whose_status_is_not_shown_is_not_verified() -> None:
    hidden = world(immortal=True)
    hidden.rows[0]["status"] = None
    end = hidden.carry_out(planned(CANCEL)).finished("a")
    assert end.error
    assert (end.status, end.error.code, end.verified) == ("error", "E208", None)
    assert end.error.message == "not verified: the process log shows its row without a status"


def test_a_refusal_is_a_failure_and_is_not_repeated() -> None:
    world_after = world("running", refused()).carry_out(planned(CANCEL))
    assert world_after.sent == ["read row", "cancel"]
    assert world_after.finished("a").status == "failed"


def test_a_call_that_was_not_answered_has_happened_where_the_log_says_so() -> None:
    world_after = world("running", unanswered()).carry_out(planned(CANCEL))
    assert (world_after.finished("a").status, world_after.finished("a").verified) == ("passed", True)


def test_a_call_that_was_not_answered_and_cancelled_nothing_is_an_error_that_may_be_retried() -> None:
    world_after = world("running", unanswered(), immortal=True).carry_out(planned(CANCEL))
    assert (world_after.finished("a").status, world_after.sent.count("cancel")) == ("error", 1)
    retried = CANCEL + "    retry: {max_attempts: 2, on: [unanswered]}\n"
    assert world("running", unanswered(), immortal=True).carry_out(planned(retried)).sent.count("cancel") == 2


def test_a_call_that_was_not_sent_is_tried_again() -> None:
    world_after = world("running", not_sent()).carry_out(planned(CANCEL))
    assert (world_after.finished("a").status, world_after.sent.count("cancel")) == ("passed", 2)


@pytest.mark.parametrize(
    ("verify", "status", "warned"), [("auto", "passed", True), ("log", "error", False), ("none", "passed", False)]
)
def test_without_a_log_verify_decides(verify: str, status: str, *, warned: bool) -> None:
    world_after = world("running", log=refused()).carry_out(planned(CANCEL + f"    verify: {verify}\n"))
    end = world_after.finished("a")
    assert (end.status, end.verified, any("not verified" in text for text in end.warnings)) == (status, None, warned)
    assert world_after.sent.count("cancel") == 1


@pytest.mark.parametrize(("verify", "status"), [("auto", "failed"), ("log", "failed"), ("none", "passed")])
def test_an_id_that_a_readable_log_does_not_show_is_none_of_a_process(verify: str, status: str) -> None:
    world_after = World().carry_out(planned(CANCEL + f"    verify: {verify}\n"))
    assert (world_after.finished("a").status, world_after.sent.count("cancel")) == (status, 1)


def test_an_id_that_is_none_is_never_sent() -> None:
    world_after = World().carry_out(planned('  - id: a\n    cancel: {process_id: "{{ target.name }}"}\n'))
    assert (world_after.sent, world_after.finished("a").status) == ([], "failed")


def test_an_undo_cancels_what_its_step_has_started() -> None:
    steps = (
        "  - id: a\n    run: {process: UsrA, until: started}\n"
        "    undo: {cancel: {process_id: '{{ process_id }}'}}\n"
        "  - id: b\n    run: {process: UsrB}\n"
    )
    world_after = World(statuses=["running", "error"]).carry_out(planned(steps))
    assert world_after.statuses_of_rows() == {"a": "passed", "b": "failed", "undo/a": "passed"}
    assert next(row for row in world_after.rows if row["name"] == "UsrA")["status"] == "cancelled"
    assert world_after.end.undo == "complete"


STARTED = "  - id: start\n    execute: {process: UsrA}\n    verify: none\n    outputs: {pid: process_id}\n"


@pytest.mark.parametrize("path", ["process_id", "outputs.pid"])
@pytest.mark.parametrize("step", ["cancel: {process_id", "wait: {process_id", "element: {name: Approve, of"])
def test_where_the_start_is_not_verified_its_process_has_no_known_id_and_a_sentence_says_why(
    step: str, path: str
) -> None:
    world_after = World().carry_out(planned(f'{STARTED}  - id: a\n    {step}: "{{{{ steps.start.{path} }}}}"}}\n'))
    error = world_after.finished("a").error
    assert error
    why = (
        f"`{{{{ steps.start.{path} }}}}` is null; a process that was started and not verified may still run at the site"
    )
    assert (error.code, error.message) == ("E113", f"the process's id is not known: {why}")
    assert (error.hint or "").startswith("start the process with `run` in place of `execute`")
    assert world_after.sent == ["execute UsrA"]


def test_nor_has_one_that_a_run_has_started_and_that_waits_in_a_queue() -> None:
    start = "  - id: start\n    run: {process: UsrA, until: started}\n"
    step = "  - id: a\n    wait: {process_id: '{{ steps.start.process_id }}'}\n"
    error = World(answers=[{}], statuses=["queued"]).carry_out(planned(start + step)).finished("a").error
    assert error
    hint = "ask for a result with `results`: then the service does not queue the process, and its answer has the id"
    assert (error.code, (error.hint or "").endswith(hint)) == ("E113", True)


def test_the_row_that_a_secret_step_gives_is_in_no_event() -> None:
    made = world().carry_out(planned(CANCEL + "    secret: true\n"))
    sent = [effect for effect in made.effects if isinstance(effect, Send) and isinstance(effect.call, ReadRow)]
    assert sent
    assert all(effect.secret for effect in sent)
