"""Sessions: signing in once, mending a lost session once, and never trying a refused sign-in again."""

import ssl
import threading
import time
from collections.abc import Callable

import h11
import httpx
import pytest
from answers import Answers
from gates import Time
from msgspec.structs import replace

from runner.foundation.values import Json
from runner.service.auth import PASSWORD, Credentials
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    Ending,
    ExecuteCall,
    FailureKind,
    QueryCall,
    ReadRow,
    WhoIsUser,
)
from runner.service.client import Client
from runner.service.connection import NotConnectedError, SpokeFirstError, UnwantedError
from runner.service.site import CallOptions, Site

USER = PASSWORD.credentials(username="Ann", password="p4ss")
SITE = Site(url="https://site.example/app/")
CALL = ExecuteCall(process="UsrGet", parameters={}, result="Value")
LOGIN_PAGE = httpx.Response(200, content=b"<html><script src='/Login/NuiLogin.js'></script></html>")


def target(request: httpx.Request) -> str:
    found: bytes = request.extensions["target"]
    return found.decode()


def xml(text: str) -> httpx.Response:
    return httpx.Response(200, content=f"<string>{text}</string>".encode())


def unauthorized() -> httpx.Response:
    return httpx.Response(401, json={"Message": "Authentication failed."})


DATE = "Sat, 31 Jan 2026 09:00:00 GMT"


def stamped(reply: httpx.Response) -> httpx.Response:
    reply.headers["date"] = DATE
    return reply


class Service:
    """Knows which sessions are alive, and answers a call with the number of the sign-in it came of."""

    def __init__(self, gone: Callable[[], httpx.Response] = unauthorized, *, code: int = 0) -> None:
        self.gone = gone
        self.code = code
        self.sign_ins = 0
        self.alive: set[str] = set()
        self.seen: list[str] = []
        self.cookie: str | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {target(request)}")
        if target(request).endswith("/Login"):
            return self.sign_in()
        token = request.headers.get("bpmcsrf", "")
        if token not in self.alive:
            return self.gone()
        answer = xml(token)
        if self.cookie:
            answer.headers["set-cookie"] = self.cookie
        return answer

    def sign_in(self) -> httpx.Response:
        self.sign_ins += 1
        body: Json = {"Code": self.code, "Message": "no" if self.code else ""}
        self.alive.add(str(self.sign_ins))
        return httpx.Response(200, json=body, headers={"set-cookie": f"BPMCSRF={self.sign_ins}; path=/"})


def client_of(
    service: Callable[[httpx.Request], httpx.Response],
    *,
    password: Credentials | None = USER,
    clock: Callable[[], float] = time.monotonic,
    site: Site = SITE,
) -> Client:
    return Client(site, credentials=password, transport=Answers(service), clock=clock)


def failed(ending: Ending) -> tuple[FailureKind, str, str]:
    assert isinstance(ending, CallFailed)
    return ending.kind, ending.trouble.code, ending.trouble.message


def test_one_sign_in_serves_many_calls_below_the_sites_own_path() -> None:
    service = Service()
    client = client_of(service)
    assert [client.perform(CALL, 5) for _ in range(2)] == [Answered(value=1)] * 2
    assert service.seen == [
        "POST /app/ServiceModel/AuthService.svc/Login",
        "GET /app/0/ServiceModel/ProcessEngineService.svc/UsrGet/Execute?ResultParameterName=Value",
        "GET /app/0/ServiceModel/ProcessEngineService.svc/UsrGet/Execute?ResultParameterName=Value",
    ]


@pytest.mark.parametrize(
    "gone",
    [
        unauthorized,
        lambda: httpx.Response(302, headers={"location": "/app/0/Login/NuiLogin.aspx?ReturnUrl=%2f"}),
        lambda: httpx.Response(200, content=LOGIN_PAGE.content),
    ],
    ids=["401", "302 to the login page", "the login page"],
)
def test_a_call_that_acts_is_not_sent_again_by_itself_where_the_session_is_lost(
    gone: Callable[[], httpx.Response],
) -> None:
    service = Service(gone)
    client = client_of(service)
    assert client.perform(CALL, 5) == Answered(value=1)
    service.alive.clear()
    ending = client.perform(CALL, 5)
    assert failed(ending)[:2] == (FailureKind.TURNED_AWAY, "E304")
    assert isinstance(ending, CallFailed)
    assert (ending.final, len(service.seen)) == (False, 3)
    assert client.perform(CALL, 5) == Answered(value=2)
    assert service.sign_ins == 2


def test_a_reading_is_made_again_in_a_fresh_session() -> None:
    service = Service()
    client = client_of(service)
    client.perform(CALL, 5)
    service.alive.clear()
    assert failed(client.perform(ReadRow(process_id="p"), 5))[1] == "E307"  # it was answered, with no row
    assert service.sign_ins == 2


def test_each_reading_has_an_address_of_its_own_that_no_cache_knows() -> None:
    service = Service()
    client = client_of(service)
    query = QueryCall(entity="Contact")
    acts, later = [CALL, CALL], [replace(query, next="/0/odata/Contact?$skip=9&_=1")] * 2
    long = [replace(query, filter="Name eq 1 or " * 150)] * 2
    asks: list[Call] = [*acts, *later, *long, query, query, ReadRow(process_id="1"), ReadRow(process_id="1")]
    for call in asks:
        client.perform(call, 5)
    asked = service.seen[1:]
    assert [len(set(asked[at : at + 2])) for at in range(0, len(asked), 2)] == [1, 1, 1, 2, 2]
    plain, option, _ = asked[-1].partition("&_=")
    assert (plain, option) == (asked[-2].partition("&_=")[0], "&_=")


@pytest.mark.parametrize(("asked_for", "stamped"), [("Contact", 1), ("Wrong", 2)])
def test_a_service_that_refuses_an_option_of_ours_is_read_without_it(asked_for: str, stamped: int) -> None:
    service = Service()

    def strict(request: httpx.Request) -> httpx.Response:
        is_wrong = "&_=" in target(request) or "Wrong" in target(request)
        answer = service(request)
        return httpx.Response(400) if "/odata/" in target(request) and is_wrong else answer

    client = client_of(strict)
    codes = {failed(client.perform(QueryCall(entity=asked_for), 5))[1] for _ in range(2)}
    assert codes == ({"E205"} if asked_for == "Wrong" else {"E307"}), "it was answered, but not with records"
    asked = [line for line in service.seen if "/odata/" in line]
    assert sum("&_=" in line for line in asked) == stamped, asked
    assert len(asked) == 2 + stamped


def test_a_session_is_over_where_a_reading_is_forbidden_that_it_was_allowed() -> None:
    service = Service(lambda: httpx.Response(403))
    client = client_of(service)
    calls: tuple[Call, ...] = (ReadRow(process_id="q"), QueryCall(entity="Contact"))
    for number, later in enumerate(calls, start=2):
        client.perform(ReadRow(process_id="p"), 5)
        service.alive.clear()
        assert failed(client.perform(later, 5))[1] == "E307"  # it was answered, with no row
        assert service.sign_ins == number


def test_a_session_is_kept_where_a_gateways_page_answers_a_reading_and_the_sign_in() -> None:
    service, is_shut = Service(), [False]
    page = httpx.Response(403, content=b"<html><title>403 Forbidden</title></html>")
    client = client_of(lambda request: page if is_shut[0] else service(request))
    reading = ReadRow(process_id="p")
    client.perform(reading, 5)
    is_shut[0] = True
    for _ in range(5):
        ending = client.perform(reading, 5)
        assert isinstance(ending, CallFailed)
        assert (ending.kind, ending.trouble.code, ending.refused_sign_in) == (FailureKind.NOT_SENT, "E303", False)
        assert (ending.trouble.hint or "").startswith("a server before the application answered")
    is_shut[0] = False
    assert client.perform(CALL, 5) == Answered(value=1)


def test_a_lacking_right_costs_few_sign_ins_however_often_it_is_asked_for() -> None:
    service = Service()
    client = client_of(lambda request: forbidden(service, request) if "filter" in target(request) else service(request))
    for _ in range(100):
        client.perform(QueryCall(entity="Contact"), 5)
        ending = client.perform(QueryCall(entity="Contact", filter="Id ne null"), 5)
        assert isinstance(ending, CallFailed)
        assert ending.status == 403
    assert service.sign_ins < 10


def test_a_reading_that_is_forbidden_from_the_first_is_a_missing_right() -> None:
    service = Service()
    client = client_of(
        lambda request: service(request) if "Execute" in target(request) else forbidden(service, request)
    )
    client.perform(CALL, 5)
    for process in ("p", "q"):
        ending = client.perform(ReadRow(process_id=process), 5)
        assert isinstance(ending, CallFailed)
        assert (ending.kind, ending.status) == (FailureKind.REFUSED, 403)
    assert service.sign_ins == 1


def forbidden(service: Service, request: httpx.Request) -> httpx.Response:
    return service.sign_in() if target(request).endswith("/Login") else httpx.Response(403)


def test_the_servers_own_time_comes_with_its_answer() -> None:
    service = Service()
    client = client_of(lambda request: stamped(service(request)))
    answered = client.perform(CALL, 5)
    assert isinstance(answered, Answered)
    assert answered.date == DATE
    service.alive.clear()
    ending = client.perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert ending.date == DATE


def test_a_fresh_session_that_is_not_accepted_either_is_reported() -> None:
    service = Service()
    client = client_of(lambda request: service.sign_in() if target(request).endswith("/Login") else unauthorized())
    client.perform(CALL, 5)
    kind, code, message = failed(client.perform(CALL, 5))
    assert (kind, code, service.sign_ins) == (FailureKind.TURNED_AWAY, "E304", 2)
    assert message == "the session is not accepted: site.example answered 401 Unauthorized: Authentication failed."


def test_a_reading_that_a_fresh_session_is_not_accepted_for_is_not_tried_again() -> None:
    service = Service()
    client = client_of(lambda request: service.sign_in() if target(request).endswith("/Login") else unauthorized())
    ending = client.perform(ReadRow(process_id="p"), 5)
    assert isinstance(ending, CallFailed)
    assert (ending.trouble.code, ending.final, service.sign_ins) == ("E304", True, 2)


def test_a_refused_sign_in_is_never_tried_again() -> None:
    service = Service(code=1)
    client = client_of(service)
    endings = [client.perform(CALL, 5) for _ in range(3)]
    assert failed(endings[0]) == (FailureKind.NOT_SENT, "E303", "site.example refused the sign-in: no")
    assert endings[1:] == endings[:1] * 2
    assert service.sign_ins == 1


def test_a_sign_in_that_was_not_answered_may_be_tried_again() -> None:
    service = Service()
    broken = iter([httpx.ReadTimeout("x"), httpx.ReadError("x")])

    def answer(request: httpx.Request) -> httpx.Response:
        for error in broken:
            raise error
        return service(request)

    client = client_of(answer)
    assert failed(client.perform(CALL, 5)) == (
        FailureKind.NOT_SENT,
        "E305",
        "no sign-in: site.example did not answer within 5 s",
    )
    assert failed(client.perform(CALL, 5))[:2] == (FailureKind.NOT_SENT, "E306")
    assert client.perform(CALL, 5) == Answered(value=1)


MAINTENANCE = httpx.Response(200, content=b"<html><title>Maintenance</title><p>Back at ten</p></html>")


@pytest.mark.parametrize("shown", [MAINTENANCE, LOGIN_PAGE, httpx.Response(404, content=b"<html></html>")])
def test_a_page_in_the_place_of_a_sign_in_that_passed_before_is_no_refusal(shown: httpx.Response) -> None:
    service, is_down = Service(), [False]

    def answer(request: httpx.Request) -> httpx.Response:
        return shown if is_down[0] and target(request).endswith("/Login") else service(request)

    client = client_of(answer)
    assert client.perform(CALL, 5) == Answered(value=1)
    service.alive.clear()
    is_down[0] = True
    assert failed(client.perform(CALL, 5))[0] is FailureKind.TURNED_AWAY
    ending = client.perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.final) == (FailureKind.NOT_SENT, False)
    is_down[0] = False
    assert client.perform(CALL, 5) == Answered(value=2)


@pytest.mark.parametrize("shown", [MAINTENANCE, LOGIN_PAGE, httpx.Response(403, content=b"<html></html>")])
def test_a_password_is_not_sent_again_and_again_where_pages_are_the_answer(shown: httpx.Response) -> None:
    service, is_down, now, seen = Service(), [False], [0.0], list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        if not is_down[0] or not target(request).endswith("/Login"):
            return service(request)
        seen.append(target(request))
        return shown

    client = client_of(answer, clock=lambda: now[0])
    assert client.perform(CALL, 5) == Answered(value=1)
    service.alive.clear()
    is_down[0] = True
    endings = [client.perform(CALL, 5) for _ in range(100)]
    assert len(seen) == 3
    last = endings[-1]
    assert isinstance(last, CallFailed)
    assert (last.kind, last.final) == (FailureKind.NOT_SENT, False)
    assert last.trouble.message.endswith("; after 3 tries the next is 5 min later")
    for tried in (4, 5):
        now[0] += 301.0
        assert [failed(client.perform(CALL, 5))[0] for _ in range(9)] == [FailureKind.NOT_SENT] * 9
        assert len(seen) == tried
    is_down[0] = False
    now[0] += 301.0
    assert client.perform(CALL, 5) == Answered(value=2)


def test_a_sign_in_that_makes_no_sense_is_never_tried_again() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(target(request))
        return httpx.Response(200, json={})

    client = client_of(answer)
    endings = [client.perform(CALL, 5) for _ in range(3)]
    assert failed(endings[0])[:2] == (FailureKind.NOT_SENT, "E307")
    assert endings[1:] == endings[:1] * 2
    assert len(seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_sign_in_behind_a_gateway_in_trouble_is_tried_once_a_call(status: int) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(target(request))
        return httpx.Response(status)

    client = client_of(answer)
    assert failed(client.perform(CALL, 5))[0] is FailureKind.NOT_SENT
    assert len(seen) == 1
    assert failed(client.perform(CALL, 5))[0] is FailureKind.NOT_SENT
    assert len(seen) == 2


@pytest.mark.parametrize("status", [None, 503])
def test_a_reading_is_not_repeated_for_the_sake_of_a_sign_in(status: int | None) -> None:
    service = Service()
    broken = [True]

    def answer(request: httpx.Request) -> httpx.Response:
        if not broken:
            return service(request)
        broken.clear()
        if status is None:
            raise httpx.ReadTimeout("x")
        return httpx.Response(status)

    client = client_of(answer)
    ending = client.perform(ReadRow(process_id="p"), 5)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.status, ending.final) == (FailureKind.NOT_SENT, None, True)
    assert client.perform(CALL, 5) == Answered(value=1)  # the next attempt of the step


def test_a_session_whose_bpmcsrf_was_taken_back_is_over_before_the_next_call() -> None:
    service = Service()
    client = client_of(service)
    service.cookie = "BPMCSRF=; path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT"
    assert client.perform(CALL, 5) == Answered(value=1)
    service.gone = lambda: httpx.Response(403)
    assert client.perform(CALL, 5) == Answered(value=2)
    assert service.sign_ins == 2


def test_without_credentials_nobody_signs_in() -> None:
    service = Service()
    client = client_of(service, password=None)
    kind, code, _ = failed(client.perform(CALL, 5))
    assert (kind, code, service.sign_ins) == (FailureKind.TURNED_AWAY, "E304", 0)


def test_cookies_of_later_replies_join_the_session() -> None:
    service = Service()
    headers: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("cookie", ""))
        return service(request)

    client = client_of(answer)
    service.cookie = "BPMSESSIONID=s; path=/; HttpOnly"
    for _ in range(2):
        client.perform(CALL, 5)
    assert headers == ["", "BPMCSRF=1", "BPMCSRF=1; BPMSESSIONID=s"]


def test_threads_that_lose_one_session_sign_in_anew_only_once() -> None:
    service = Service()
    client = client_of(service)
    client.perform(CALL, 5)
    service.alive.clear()
    meeting = threading.Barrier(4)
    gone, service.gone = service.gone, lambda: (meeting.wait(300), gone())[1]
    endings: list[Ending] = []
    for _ in range(2):
        threads = [threading.Thread(target=lambda: endings.append(client.perform(CALL, 5))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [failed(ending)[0] for ending in endings[:4]] == [FailureKind.TURNED_AWAY] * 4
    assert endings[4:] == [Answered(value=2)] * 4
    assert service.sign_ins == 2


def test_one_deadline_covers_signing_in_and_the_call() -> None:
    now = [0.0]
    service = Service()

    def answer(request: httpx.Request) -> httpx.Response:
        now[0] += 6
        return service(request)

    client = Client(SITE, credentials=USER, transport=Answers(answer), clock=lambda: now[0])
    kind, code, message = failed(client.perform(CALL, 5))
    assert (kind, code) == (FailureKind.NOT_SENT, "E305")
    assert message == "the 5 s of the call were over before it was sent to site.example"
    assert len(service.seen) == 1


def test_the_name_we_sign_in_with_is_the_name_we_ask_for() -> None:
    service = Service()
    client_of(service).perform(WhoIsUser(), 5)
    assert "Name%20eq%20%27Ann%27" in service.seen[-1]


def paced(service: Callable[[httpx.Request], httpx.Response], time: Time, *, rate: float = 0.1) -> Client:
    site = Site(url="https://site.example", calls=CallOptions(rate=rate))
    return Client(site, transport=Answers(service), clock=time.clock, credentials=USER)


def test_what_a_call_waits_for_its_turn_is_none_of_its_time() -> None:
    service, time = Service(), Time()
    client = paced(service, time)
    assert client.perform(CALL, 5, gate=time) == Answered(value=1)
    assert client.perform(CALL, 5, gate=time) == Answered(value=1)
    assert time.waits == [10.0, 10.0]  # the sign-in had the first turn


def test_a_call_that_a_stop_meets_while_it_waits_for_its_turn_does_not_leave() -> None:
    service, time = Service(), Time(stops_at=104.0)
    ending = paced(service, time).perform(CALL, 50, gate=time)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.unwanted) == (FailureKind.NOT_SENT, True)
    assert (time.waits, len(service.seen)) == ([10.0], 1)


def test_a_sign_in_that_a_stop_meets_while_it_waits_is_no_refused_one() -> None:
    service, time = Service(), Time(now=0.0, stops_at=0.0)
    client = paced(service, time)
    ending = client.perform(CALL, 5, gate=time)
    assert isinstance(ending, CallFailed)
    assert (ending.unwanted, service.seen) == (True, [])
    time.stops_at = 1000.0
    assert client.perform(CALL, 5, gate=time) == Answered(value=1)


def test_a_call_that_is_not_wanted_any_more_after_the_sign_in_does_not_leave() -> None:
    time = Time(stops_at=102.0)
    service = Service()

    def answer(request: httpx.Request) -> httpx.Response:
        time.now += 2
        return service(request)

    client = Client(SITE, credentials=USER, transport=Answers(answer), clock=time.clock)
    ending = client.perform(CALL, 50, gate=time)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.unwanted, len(service.seen)) == (FailureKind.NOT_SENT, True, 1)


def test_a_query_of_what_is_no_entity_is_not_sent() -> None:
    service = Service()
    ending = client_of(service).perform(QueryCall(entity="../x"), 5)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code, ending.final) == (FailureKind.NOT_SENT, "E301", True)
    assert ending.trouble.message == "the call to site.example cannot be written: `../x` is no name of an entity"
    assert service.seen == []


def test_headers_of_the_target_come_with_the_sign_in_and_with_every_call() -> None:
    service = Service()
    found: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found.append(request.headers.get("x-key"))
        return service(request)

    site = Site(url="https://site.example", headers=(("X-Key", "gateway"),))
    Client(site, transport=Answers(answer), credentials=USER).perform(CALL, 5)
    assert found == ["gateway", "gateway"]


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (NotConnectedError(), FailureKind.NOT_SENT, "E301"),
        (h11.LocalProtocolError("x"), FailureKind.NOT_SENT, "E301"),
        (UnwantedError(), FailureKind.NOT_SENT, "E312"),
        (SpokeFirstError(), FailureKind.NOT_SENT, "E313"),
        (TimeoutError(), FailureKind.UNANSWERED, "E305"),
        (EOFError(), FailureKind.UNANSWERED, "E306"),
        (ConnectionResetError(), FailureKind.UNANSWERED, "E306"),
        (ssl.SSLError(), FailureKind.UNANSWERED, "E306"),
        (h11.RemoteProtocolError("x"), FailureKind.UNANSWERED, "E307"),
    ],
)
def test_what_a_transport_raises_ends_in_a_failure(error: Exception, kind: FailureKind, code: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    assert failed(client_of(answer, password=None).perform(CALL, 5))[:2] == (kind, code)
