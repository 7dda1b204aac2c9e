"""OAuth through the client: which host is sent what, when a token is asked for again, and what threads share."""

import threading
from collections.abc import Callable

import httpx
import pytest
from answers import Answers
from msgspec.structs import replace

from runner.service.access import Access
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.service.calls import Answered, CallFailed, Ending, ExecuteCall, FailureKind, WhoIsUser
from runner.service.carrier import Carrier
from runner.service.client import Client
from runner.service.gate import Deadline, OpenGate
from runner.service.session import Session
from runner.service.site import CallOptions, Site

SITE = Site(url="https://crm.example/app", identity_url="https://id.example", headers=(("X-Key", "gateway"),))
CLIENT = CLIENT_CREDENTIALS.credentials(client_id="runner", client_secret="s3cret")
CALL = ExecuteCall(process="UsrGet", parameters={}, result="Value")


class World:
    """A site and its identity service. A call is answered with the number of the token that it came with."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.alive: set[str] = set()
        self.tokens = 0
        self.refuses: httpx.Response | None = None
        self.gone: Callable[[], object] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target: bytes = request.extensions["target"]
        self.seen.append((request.url.host, target.decode(), dict(request.headers)))
        if request.url.host == "id.example":
            return self.refuses or self.token()
        given = request.headers.get("authorization", "")
        if given not in self.alive:
            self.gone()
            return httpx.Response(401, json={"Message": "Authentication failed."})
        return httpx.Response(
            200, content=f"<string>{given[-1]}</string>".encode(), headers={"set-cookie": "BPMCSRF=c; path=/"}
        )

    def token(self) -> httpx.Response:
        self.tokens += 1
        self.alive.add(f"Bearer t0ken-{self.tokens}")
        return httpx.Response(
            200,
            json={"access_token": f"t0ken-{self.tokens}", "expires_in": 3600},
            headers={"set-cookie": "idsrv=x; path=/"},
        )

    def client(self, *, requests: list[tuple[str, str]] | None = None) -> Client:
        return Client(
            SITE,
            credentials=CLIENT,
            transport=Answers(self),
            clock=lambda: self.now,
            on_secret=lambda name, text: (requests if requests is not None else []).append((name, text)),
        )


def is_turned_away(ending: Ending) -> bool:
    """The session was not accepted, and the call may be made again in a fresh one."""
    assert isinstance(ending, CallFailed)
    return (ending.kind, ending.trouble.code, ending.final) == (FailureKind.TURNED_AWAY, "E304", False)


def at_once(client: Client, *, threads: int) -> list[Ending]:
    endings: list[Ending] = []
    running = [threading.Thread(target=lambda: endings.append(client.perform(CALL, 50))) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return endings


def test_the_identity_service_is_another_origin_and_is_sent_nothing_of_the_site() -> None:
    world = World()
    client = world.client()

    assert [client.perform(CALL, 5) for _ in range(2)] == [Answered(value=1)] * 2
    hosts = [(host, path) for host, path, _ in world.seen]
    execute = ("crm.example", "/app/0/ServiceModel/ProcessEngineService.svc/UsrGet/Execute?ResultParameterName=Value")
    assert hosts == [("id.example", "/connect/token"), execute, execute]
    asked, *called = [headers for _, _, headers in world.seen]
    assert not asked.keys() & {"x-key", "cookie", "bpmcsrf", "forceusesession", "authorization"}
    for headers in called:
        assert (headers["authorization"], headers["x-key"]) == ("Bearer t0ken-1", "gateway")
        assert not headers.keys() & {"cookie", "bpmcsrf", "forceusesession"}


def test_a_token_is_reused_until_shortly_before_its_end() -> None:
    world = World()
    client = world.client()

    for now, expected in ((0, 1), (3500, 1), (3541, 2), (7000, 2), (7082, 3)):
        world.now = now
        assert client.perform(CALL, 5) == Answered(value=expected)


def test_a_token_that_the_site_does_not_take_is_replaced_once() -> None:
    world = World()
    client = world.client()
    client.perform(CALL, 5)
    world.alive.clear()

    assert is_turned_away(client.perform(CALL, 5))
    assert client.perform(CALL, 5) == Answered(value=2)
    assert world.tokens == 2
    world.alive.clear()
    world.refuses = httpx.Response(200, json={"access_token": "t0ken-9"})
    assert [is_turned_away(client.perform(CALL, 5)) for _ in range(2)] == [True, True]


def test_a_sign_in_has_the_time_of_the_target_however_long_the_call_may_take() -> None:
    """Its answer takes a second here. What is left of the call's time is the call's again."""
    deadlines: list[float] = []
    world = World()

    def answer(request: httpx.Request) -> httpx.Response:
        deadlines.append(request.extensions["deadline"])
        world.now += 1.0
        return world(request)

    client = Client(
        replace(SITE, calls=CallOptions(timeout=3.0)),
        credentials=CLIENT,
        transport=Answers(answer),
        clock=lambda: world.now,
    )
    assert client.perform(CALL, 60) == Answered(value=1)
    assert deadlines == [3.0, 60.0]
    client.forget_sign_in()
    assert client.perform(CALL, 2) == Answered(value=2)
    assert deadlines[2:] == [4.0, 4.0]


def test_a_client_that_is_refused_is_never_tried_again() -> None:
    world = World()
    world.refuses = httpx.Response(400, json={"error": "invalid_client"})
    client = world.client()

    endings = at_once(client, threads=8)

    assert len(world.seen) == 1
    (ending,) = {repr(ending) for ending in endings}
    assert "id.example refused the sign-in: invalid_client" in ending


def test_a_token_is_reported_before_any_call_carries_it() -> None:
    world = World()
    requests: list[tuple[str, str]] = []
    client = world.client(requests=requests)
    world.gone = lambda: requests.append(("a call", "was sent"))
    client.perform(CALL, 5)
    world.alive.clear()
    client.perform(CALL, 5)
    world.gone = lambda: None
    client.perform(CALL, 5)

    assert requests == [("target.token", "t0ken-1"), ("a call", "was sent"), ("target.token", "t0ken-2")]


def test_an_identity_service_that_is_not_there_is_reported_of_by_its_own_name() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "id.example"
        raise httpx.ConnectError("x")

    client = Client(SITE, credentials=CLIENT, transport=Answers(answer))
    ending = client.perform(CALL, 5)

    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code, ending.final) == (FailureKind.NOT_SENT, "E301", False)
    assert ending.trouble.message.startswith("no sign-in: no connection to id.example")
    assert "`identity_url`" in (ending.trouble.hint or "")


def test_an_oauth_client_has_no_name_to_look_for_among_the_users() -> None:
    world = World()
    world.client().perform(WhoIsUser(), 5)

    assert "Name%20eq%20%27%27" in world.seen[-1][1]


class Signed:
    """A site of cookies, on which every answer brings a new one, and all sessions can be ended at once."""

    def __init__(self, *, code: int = 0) -> None:
        self.code = code
        self.sign_ins = 0
        self.answers = 0
        self.alive: set[str] = set()
        self.meeting = threading.Barrier(8)
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target: bytes = request.extensions["target"]
        if target.endswith(b"/Login"):
            self.sign_ins += 1
            self.alive.add(str(self.sign_ins))
            cookies = {"set-cookie": f"BPMCSRF={self.sign_ins}; path=/"}
            return httpx.Response(200, json={"Code": self.code, "Message": "no"}, headers=cookies)
        if request.headers.get("bpmcsrf") not in self.alive:
            self.meeting.wait(300)
            return httpx.Response(401)
        with self.lock:
            self.answers += 1
        return httpx.Response(
            200, content=b"<string>1</string>", headers={"set-cookie": f"BPMSESSIONID={self.answers}; path=/"}
        )


def cookies_client(site: Signed, *, password: str = "p4ss") -> Client:
    credentials = PASSWORD.credentials(username="Ann", password=password)
    return Client(Site(url="https://crm.example"), credentials=credentials, transport=Answers(site))


def test_eight_threads_whose_session_has_expired_sign_in_once() -> None:
    site = Signed()
    client = cookies_client(site)
    client.perform(CALL, 5)
    site.alive.clear()

    assert all(map(is_turned_away, at_once(client, threads=8)))
    assert at_once(client, threads=8) == [Answered(value=1)] * 8
    assert site.sign_ins == 2


def test_a_session_with_later_cookies_is_no_other_one_when_it_is_lost() -> None:
    site = Signed()
    transport = Answers(site)
    place = Site(url="https://crm.example")
    carrier = Carrier(place.url, place=place.name, transport=transport, clock=lambda: 0.0)
    password = PASSWORD.credentials(username="Ann", password="p4ss")
    access = Access(place, password, carrier=carrier, clock=lambda: 0.0, on_secret=lambda _name, _text: None)
    deadline = Deadline(at=5.0, seconds=5.0, gate=OpenGate())

    lost = access.session(deadline)
    assert isinstance(lost, Session)
    access.keep(lost, ["BPMSESSIONID=s; path=/"])
    access.fresh(lost, deadline)

    assert site.sign_ins == 2


def test_eight_threads_that_are_refused_have_tried_once() -> None:
    site = Signed(code=1)

    endings = at_once(cookies_client(site), threads=8)

    assert site.sign_ins == 1
    assert all(isinstance(ending, CallFailed) and ending.trouble.code == "E303" for ending in endings)


@pytest.mark.parametrize("password", ["p4ss ", "\tp4ss", "p4ss\r\n"])
def test_a_refused_password_with_a_blank_or_line_end_around_it_is_said_to_have_one(password: str) -> None:
    ending = cookies_client(Signed(code=1), password=password).perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    hint = ending.trouble.hint or ""
    assert hint.startswith("take away the blank or line end that `password` begins or ends with; check `auth` of ")
    assert hint.endswith("; `runner doctor` checks the way to the site step by step")
    assert password not in hint


@pytest.mark.parametrize("password", ['"p4ss"', "'p4ss'", '""'])
def test_a_refused_password_in_quotes_is_said_to_have_them(password: str) -> None:
    ending = cookies_client(Signed(code=1), password=password).perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    hint = ending.trouble.hint or ""
    assert hint.startswith("take away the quotes around `password`, which `set` of cmd keeps; check `auth` of ")


@pytest.mark.parametrize("password", ["p4ss", "'", "p4ss'", '"p4ss'])
def test_a_refused_password_without_such_a_blank_is_not_said_to_have_one(password: str) -> None:
    ending = cookies_client(Signed(code=1), password=password).perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert (ending.trouble.hint or "").startswith("check `auth` of the target; ")


def test_eight_threads_whose_token_has_ended_ask_for_one() -> None:
    world = World()
    client = world.client()
    client.perform(CALL, 5)
    world.now = 4000.0

    assert at_once(client, threads=8) == [Answered(value=2)] * 8
    assert world.tokens == 2
