"""What is concluded from a site's answers to the questions that start nothing."""

import pytest

from runner.doctor import service
from runner.doctor.findings import WayFinding, WayVerdict
from runner.foundation.values import Json, JsonObject
from runner.runs.events import Trouble
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    FindProcess,
    QueryCall,
    ReadElementData,
    ReadElements,
    ReadRows,
    RunProcessCall,
    WhoAmI,
    WhoIsUser,
)
from runner.service.gate import OPEN, Gate
from runner.service.site import Runtime

NOBODY = "UsrNobodyHasThis"


class Stub:
    """Answers the calls in their order with given endings, and remembers them."""

    def __init__(self, *endings: tuple[type, Ending], sign_in: CallFailed | None = None) -> None:
        self._endings = list(endings)
        self._sign_in = sign_in
        self.asked: list[Call] = []

    def sign_in(self, seconds: float) -> CallFailed | None:
        assert seconds > 0
        return self._sign_in

    def forget_sign_in(self) -> None: ...

    def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
        assert seconds > 0
        assert gate is OPEN
        self.asked.append(call)
        kind, ending = self._endings.pop(0)
        assert isinstance(call, kind)
        return ending


def refused(words: str, status: int = 500, *, body: str | None = None) -> CallFailed:
    trouble = Trouble(code="E205", message=words, hint=f"by the {status}")
    return CallFailed(kind=FailureKind.REFUSED, trouble=trouble, status=status, body=body)


def broken(kind: FailureKind = FailureKind.NOT_SENT) -> CallFailed:
    return CallFailed(
        kind=kind, trouble=Trouble(code="E301", message="no sign-in: no way", hint="try it"), no_session="no way"
    )


def test_a_sign_in_is_reported_with_the_contact_that_we_are() -> None:
    found = service.signed_in(Stub((WhoAmI, Answered(value="c0ffee"))), name="an OAuth client")
    assert (found.verdict, found.seen) == (WayVerdict.OK, "accepted with an OAuth client, contact c0ffee")


@pytest.mark.parametrize("first", [Answered(value=None), refused("404 Not Found", 404), refused("no", 403)])
def test_who_we_are_is_asked_in_both_ways_that_a_run_asks(first: Ending) -> None:
    both = Stub((WhoAmI, first), (WhoIsUser, Answered(value="c0ffee")))
    found = service.signed_in(both, name="x")
    assert (found.verdict, found.seen) == (WayVerdict.OK, "accepted with x, contact c0ffee")


def test_a_site_that_does_not_say_who_we_are_has_let_us_in_all_the_same() -> None:
    for second in (Answered(value=None), refused("no", 403)):
        found = service.signed_in(Stub((WhoAmI, Answered(value=None)), (WhoIsUser, second)), name="x")
        assert found.verdict is WayVerdict.UNSURE
        assert found.seen.startswith("accepted")
        assert "SysAdminUnit" in (found.hint or "")


@pytest.mark.parametrize("kind", [FailureKind.NOT_SENT, FailureKind.UNANSWERED])
def test_a_sign_in_that_came_to_nothing_is_reported_with_its_hint(kind: FailureKind) -> None:
    found = service.signed_in(Stub(sign_in=broken(kind)), name="x")
    assert (found.verdict, found.seen, found.hint) == (WayVerdict.FAILED, "no way", "try it")


@pytest.mark.parametrize("first", [Answered(value=None), refused("404 Not Found", 404)])
def test_that_odata_is_out_of_order_is_not_put_down_to_the_sign_in(first: Ending) -> None:
    out = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E309", message="502"), status=502)
    found = service.signed_in(Stub((WhoAmI, first), (WhoIsUser, out)), name="x")
    assert (found.verdict, found.seen) == (WayVerdict.OK, "accepted with x")
    lapsed = service.signed_in(Stub((WhoAmI, first), (WhoIsUser, broken())), name="x")
    assert (lapsed.verdict, lapsed.seen) == (WayVerdict.FAILED, "no way")


NOT_THERE = refused("answered 404 Not Found", 404)
LOGIN_PAGE = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E304", message="not accepted"), status=200)
A_PAGE = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E307", message="no sense"), status=200)
REDIRECT = refused("redirects", 302)


def found_at(caller: Stub, other: Stub, runtime: Runtime = Runtime.NET_FRAMEWORK) -> WayFinding:
    return service.found_at(caller, runtime=runtime, at_other=lambda: other, unknown=NOBODY)


def nowhere(ending: Ending = NOT_THERE) -> Stub:
    return Stub((WhoAmI, ending), (ReadRows, ending), (RunProcessCall, ending), (ExecuteCall, ending))


@pytest.mark.parametrize("ending", [NOT_THERE, LOGIN_PAGE, A_PAGE, REDIRECT])
@pytest.mark.parametrize(("runtime", "right"), [("net-framework", "net"), ("net", "net-framework")])
def test_a_wrong_runtime_is_found_by_asking_at_the_other_address(ending: Ending, runtime: str, right: str) -> None:
    others = (
        Stub((WhoAmI, Answered(value=None))),
        Stub((WhoAmI, NOT_THERE), (ReadRows, refused("no right", 403))),
        Stub((WhoAmI, NOT_THERE), (ReadRows, NOT_THERE), (RunProcessCall, refused("no such process", 200))),
    )
    for other in others:
        found = found_at(nowhere(ending), other, Runtime(runtime))
        assert (found.verdict, found.hint) == (WayVerdict.FAILED, f"write `runtime: {right}` in the target")
        assert f"the target has `runtime: {runtime}`" in found.seen


def test_the_other_address_is_asked_only_where_no_service_is_found_at_its_own() -> None:
    for own in (
        Stub((WhoAmI, Answered(value="c"))),
        Stub((WhoAmI, refused("no", 403))),
        Stub((WhoAmI, NOT_THERE), (ReadRows, Answered(value=[]))),
        Stub((WhoAmI, NOT_THERE), (ReadRows, NOT_THERE), (RunProcessCall, refused("no such process", 200))),
        *(
            Stub((WhoAmI, NOT_THERE), (ReadRows, NOT_THERE), (RunProcessCall, NOT_THERE), (ExecuteCall, ending))
            for ending in (
                Answered(value=None),
                refused("no such process", 500),
                refused(f"answered 404 Not Found: Process {NOBODY} not found", 404),
            )
        ),
    ):
        other = Stub()
        assert found_at(own, other).verdict is WayVerdict.OK
        assert other.asked == []


def test_a_site_without_the_services_at_either_address_has_a_wrong_url_perhaps() -> None:
    found = found_at(nowhere(), nowhere(LOGIN_PAGE))
    assert found.verdict is WayVerdict.FAILED
    services = "UserInfoService, odata/SysProcessLog, RunProcess and Execute"
    assert found.seen == f"found {services} neither below `/0` nor without `/0`: answered 404 Not Found"
    assert "`url`" in (found.hint or "")


def test_services_that_a_gateway_refuses_with_its_page_are_not_found() -> None:
    page = refused("answered 403 Forbidden", 403, body="<html><h1>403 Forbidden</h1></html>")
    found = found_at(nowhere(page), nowhere(page))
    assert (found.verdict, found.hint) == (WayVerdict.FAILED, "by the 403")


def test_a_site_that_does_not_answer_is_not_said_to_have_another_runtime() -> None:
    other = Stub()
    found = found_at(Stub((WhoAmI, broken(FailureKind.UNANSWERED))), other)
    assert (found.verdict, found.hint, other.asked) == (WayVerdict.FAILED, "try it", [])
    silent = Stub((WhoAmI, broken(FailureKind.UNANSWERED)))
    assert "neither" in found_at(nowhere(), silent).seen


@pytest.mark.parametrize(
    ("words", "status", "verdict"),
    [
        (f"refused the call: Process {NOBODY} is not found", 200, WayVerdict.OK),
        (f"500: access to {NOBODY} is no matter, it is not found", 500, WayVerdict.OK),
        ("refused the call: no CanRunBusinessProcesses", 200, WayVerdict.FAILED),
        ("500: Current user does not have permission to run it", 500, WayVerdict.FAILED),
        ("500: Недостаточно прав", 500, WayVerdict.FAILED),
        (f"403 Forbidden for {NOBODY}", 403, WayVerdict.FAILED),
        ("refused the call: Object reference not set", 200, WayVerdict.UNSURE),
        ("404 Not Found", 404, WayVerdict.UNSURE),
    ],
)
def test_the_right_to_run_is_read_off_the_refusal_of_a_process_that_nobody_has(
    words: str, status: int, verdict: WayVerdict
) -> None:
    site = Stub((RunProcessCall, refused(words, status)))
    assert service.may_run(site, unknown=NOBODY).verdict is verdict
    assert site.asked == [RunProcessCall(process=NOBODY, parameters={})]


def test_a_site_that_takes_the_call_is_reported_and_one_that_does_not_answer_has_failed() -> None:
    assert service.may_run(Stub((RunProcessCall, Answered(value={}))), unknown=NOBODY).verdict is WayVerdict.UNSURE
    silent = Stub((RunProcessCall, broken(FailureKind.UNANSWERED)))
    assert service.may_run(silent, unknown=NOBODY).verdict is WayVerdict.FAILED


def test_the_log_is_read_as_a_run_reads_it() -> None:
    by_code = Stub((ReadRows, Answered(value=[])), (QueryCall, Answered(value={"records": [], "next": None})))
    assert service.log_readable(by_code, unknown=NOBODY).verdict is WayVerdict.OK
    by_library = Stub(
        (ReadRows, refused("no")),
        (FindProcess, Answered(value=None)),
        (ReadRows, Answered(value=[])),
        (QueryCall, refused("no")),
    )
    assert service.log_readable(by_library, unknown=NOBODY).seen == "can be read by way of VwProcessLib"


def test_columns_of_the_log_that_are_empty_in_each_row_are_reported() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    shown: JsonObject = {"StatusId": "a", "OwnerId": nobody, "StartDate": "2026-12-01T10:00:00Z"}
    for row, seen in (
        ({**shown, "OwnerId": "b"}, "can be read by a process's code"),
        ({**shown, "StatusId": None}, "the user may not read `OwnerId`"),
    ):
        answer: Json = {"records": [{**shown, "StartDate": "0001-01-01T00:00:00Z"}, row], "next": None}
        site = Stub((ReadRows, Answered(value=[])), (QueryCall, Answered(value=answer)))
        assert service.log_readable(site, unknown=NOBODY).seen.startswith(seen)


def test_a_log_that_cannot_be_read_is_reported_with_the_first_refusal() -> None:
    for others in (
        [(FindProcess, refused("other"))],
        [(FindProcess, Answered(value=None)), (ReadRows, refused("other"))],
    ):
        found = service.log_readable(Stub((ReadRows, refused("no rights", 403)), *others), unknown=NOBODY)
        assert (found.verdict, found.seen) == (WayVerdict.FAILED, "no rights")
        assert (found.hint or "").startswith("by the 403; without the log steps pass as not verified")


def test_a_log_that_nobody_answers_for_is_not_asked_again() -> None:
    site = Stub((ReadRows, broken(FailureKind.UNANSWERED)))
    assert service.log_readable(site, unknown=NOBODY).verdict is WayVerdict.FAILED
    assert len(site.asked) == 1


def test_what_only_some_jobs_need_ends_no_way_where_it_cannot_be_read() -> None:
    calls = (ReadElementData(process_id="p"), ReadElements(process_id="p"))
    for log, verdict in ((refused("no right", 403), WayVerdict.UNSURE), (Answered(value=[]), WayVerdict.OK)):
        site = Stub((ReadElementData, Answered(value=[])), (ReadElements, log))
        found = service.readable(site, service.ELEMENTS, *calls, why="`wait` needs it")
        assert (found.verdict, found.hint) == (
            verdict,
            "by the 403; `wait` needs it" if verdict is WayVerdict.UNSURE else None,
        )
