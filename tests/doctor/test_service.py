"""What is concluded from a site's answers to the questions that start nothing."""

import pytest

from runner.doctor import service
from runner.doctor.findings import Verdict
from runner.events import Trouble
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    Ending,
    FailureKind,
    FindProcess,
    ReadRows,
    RunProcessCall,
    WhoAmI,
)

NOBODY = "UsrNobodyHasThis"


class Told:
    """Answers each kind of call as it was told beforehand, and remembers what it was asked."""

    def __init__(self, *endings: tuple[type, Ending]) -> None:
        self._endings = list(endings)
        self.asked: list[Call] = []

    def perform(self, call: Call, seconds: float) -> Ending:
        assert seconds > 0
        self.asked.append(call)
        kind, ending = self._endings.pop(0)
        assert isinstance(call, kind)
        return ending


def refused(words: str, status: int = 500) -> CallFailed:
    return CallFailed(kind=FailureKind.REFUSED, trouble=Trouble(code="E205", message=words), status=status)


def broken(kind: FailureKind = FailureKind.NOT_SENT) -> CallFailed:
    return CallFailed(kind=kind, trouble=Trouble(code="E301", message="no sign-in: no way", hint="try it"))


def test_a_sign_in_is_told_with_the_contact_that_we_are() -> None:
    found = service.signed_in(Told((WhoAmI, Answered(value="c0ffee"))), name="an OAuth client")
    assert (found.verdict, found.told) == (Verdict.OK, "accepted with an OAuth client, contact c0ffee")


def test_a_site_that_does_not_say_who_we_are_has_let_us_in_all_the_same() -> None:
    assert service.signed_in(Told((WhoAmI, Answered(value=None))), name="x").verdict is Verdict.OK
    found = service.signed_in(Told((WhoAmI, refused("404 Not Found", 404))), name="x")
    assert found.verdict is Verdict.UNSURE
    assert found.told.startswith("accepted")


@pytest.mark.parametrize("kind", [FailureKind.NOT_SENT, FailureKind.UNANSWERED])
def test_a_sign_in_that_came_to_nothing_is_told_with_its_hint(kind: FailureKind) -> None:
    found = service.signed_in(Told((WhoAmI, broken(kind))), name="x")
    assert (found.verdict, found.told, found.hint) == (Verdict.FAILED, "no way", "try it")


@pytest.mark.parametrize(
    ("words", "status", "verdict"),
    [
        (f"refused the call: Process {NOBODY} is not found", 200, Verdict.OK),
        (f"500: access to {NOBODY} is no matter, it is not found", 500, Verdict.OK),
        ("refused the call: no CanRunBusinessProcesses", 200, Verdict.FAILED),
        ("500: Current user does not have permission to run it", 500, Verdict.FAILED),
        ("500: Недостаточно прав", 500, Verdict.FAILED),
        (f"403 Forbidden for {NOBODY}", 403, Verdict.FAILED),
        ("refused the call: Object reference not set", 200, Verdict.UNSURE),
        ("404 Not Found", 404, Verdict.UNSURE),
    ],
)
def test_the_right_to_run_is_read_off_the_refusal_of_a_process_that_nobody_has(
    words: str, status: int, verdict: Verdict
) -> None:
    site = Told((RunProcessCall, refused(words, status)))
    assert service.may_run(site, unknown=NOBODY).verdict is verdict
    assert site.asked == [RunProcessCall(process=NOBODY, parameters={})]


def test_a_site_that_takes_the_call_is_told_and_one_that_does_not_answer_has_failed() -> None:
    assert service.may_run(Told((RunProcessCall, Answered(value={}))), unknown=NOBODY).verdict is Verdict.UNSURE
    silent = Told((RunProcessCall, broken(FailureKind.UNANSWERED)))
    assert service.may_run(silent, unknown=NOBODY).verdict is Verdict.FAILED


def test_the_log_is_read_as_a_run_reads_it() -> None:
    by_code = Told((ReadRows, Answered(value=[])))
    assert service.log_readable(by_code, unknown=NOBODY).verdict is Verdict.OK
    by_library = Told((ReadRows, refused("no")), (FindProcess, Answered(value=None)), (ReadRows, Answered(value=[])))
    assert service.log_readable(by_library, unknown=NOBODY).told == "can be read by way of VwProcessLib"


def test_a_log_that_cannot_be_read_is_told_with_the_first_refusal() -> None:
    for others in (
        [(FindProcess, refused("other"))],
        [(FindProcess, Answered(value=None)), (ReadRows, refused("other"))],
    ):
        found = service.log_readable(Told((ReadRows, refused("no rights", 403)), *others), unknown=NOBODY)
        assert (found.verdict, found.told) == (Verdict.FAILED, "no rights")
        assert "SysProcessLog" in (found.hint or "")


def test_a_log_that_nobody_answers_for_is_not_asked_again() -> None:
    site = Told((ReadRows, broken(FailureKind.UNANSWERED)))
    assert service.log_readable(site, unknown=NOBODY).verdict is Verdict.FAILED
    assert len(site.asked) == 1
