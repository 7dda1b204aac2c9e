"""Whether a site is ready, against one that is deployed to, with a clock that the test holds: no time passes here."""

import random
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from answers import Answers
from deployments import CATALOGUE, Deployed, Phase, listed
from msgspec.structs import replace

from runner.catalogue.model import Catalogue
from runner.catalogue.read import catalogue_in
from runner.doctor.readiness import Look, ReadyOutcome, Watched, only, wait_until_ready
from runner.doctor.readiness import Phase as Seen
from runner.foundation.values import Json
from runner.reading.load import load
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD, Credentials
from runner.service.client import Client
from runner.service.site import Site
from runner.targets.model import Readiness

SITE = Site(url="http://site.example", prefix="/0", identity_url="http://id.example")
USER = PASSWORD.credentials(username="integration", password="pa55-w0rd")
TAKES = 0.01
"""Seconds of a request."""
WHOLE = (Phase.AWAY, Phase.TROUBLE, Phase.SIGN_IN, Phase.OLD_VERSION, Phase.OLD_PARAMETERS, Phase.NEW)


def expected() -> Catalogue:
    document = load("git.catalog.yaml", CATALOGUE.encode())
    assert not isinstance(document, tuple), document
    return catalogue_in(document)


@dataclass
class World:
    """A site that goes from phase to phase, each beginning at its second of a clock that stands still by itself."""

    begins: Sequence[tuple[float, Phase]]
    expected: Catalogue | None = None
    credentials: Credentials = USER
    answer: Callable[[httpx.Request], httpx.Response] | None = None
    site: Deployed = field(default_factory=Deployed)
    now: float = 0.0
    looks: list[tuple[float, Look]] = field(default_factory=list)
    stops_at: float = float("inf")

    def wait(self, wanted: Readiness | None = None) -> ReadyOutcome:
        client = Client(SITE, credentials=self.credentials, transport=Answers(self._answer), clock=lambda: self.now)
        watched = Watched(caller=client, clock=lambda: self.now, expected=self.expected)
        return wait_until_ready(
            watched,
            wanted or Readiness(),
            pause=self._pause,
            seen=lambda look: self.looks.append((self.now, look)),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self._move(TAKES)
        return self.answer(request) if self.answer is not None else self.site.over_httpx(request)

    def _pause(self, seconds: float) -> bool:
        self._move(seconds)
        return self.now < self.stops_at

    def _move(self, seconds: float) -> None:
        self.now += seconds
        self.site.phase = [phase for at, phase in self.begins if at <= self.now][-1]

    def seen(self) -> list[Seen]:
        """What was seen, each once as long as it lasted."""
        states = [look for _, look in self.looks]
        pairs = zip([None, *states], states, strict=False)
        return [look.phase for before, look in pairs if before is None or look.state != before.state]


def test_what_is_asked_for_is_named_where_the_site_has_neither() -> None:
    world = World(begins=[(0.0, Phase.NEW)])

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if b"/odata/" in request.extensions["target"] else world.site.over_httpx(request)

    world.answer = answer
    assert world.wait() is ReadyOutcome.OVER
    trouble = world.looks[-1][1].trouble
    assert trouble is not None
    assert trouble.message == "site.example answered 404 Not Found to odata/VwProcessLib and to odata/Contact"
    assert (trouble.hint or "").startswith("a site is ready when it gives a row of one of the two")


@pytest.mark.parametrize("seed", range(50))
def test_it_is_ready_in_the_last_phase_alone_and_soon_after_that_has_begun(seed: int) -> None:
    chance = random.Random(seed)
    at, begins = 0.0, []
    for phase in WHOLE:
        begins.append((at, phase))
        at += chance.choice((chance.uniform(0.0, 2.0), chance.uniform(0.0, 40.0)))
    world = World(begins, expected=expected())

    assert world.wait() is ReadyOutcome.READY
    last = begins[-1][0]
    assert world.now >= last
    assert world.now - last <= 6.0
    assert world.site.asked[-1][0] is Phase.NEW


def test_without_a_catalogue_two_readings_one_pause_apart_are_enough() -> None:
    world = World([(0.0, Phase.OLD_VERSION)])

    assert world.wait(Readiness(every=7.0)) is ReadyOutcome.READY
    assert 7.0 <= world.now <= 7.1
    assert [look.phase for _, look in world.looks] == [Seen.ROWS, Seen.READY]
    assert world.site.sign_ins() == 1, "the session of the first reading serves the second"


def test_a_site_that_goes_away_after_its_first_rows_must_give_rows_twice_again() -> None:
    world = World([(0.0, Phase.NEW), (3.0, Phase.AWAY), (20.0, Phase.NEW)])

    assert world.wait() is ReadyOutcome.READY
    assert world.seen() == [Seen.ROWS, Seen.AWAY, Seen.ROWS, Seen.READY]
    assert 25.0 <= world.now <= 26.0


def test_a_site_that_goes_away_while_it_is_compared_must_give_rows_twice_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_whole_list = b"top=1" not in request.extensions["target"] and b"VwProcessLib" in request.extensions["target"]
        return httpx.Response(503) if is_whole_list and 8 < world.now < 12 else world.site.over_httpx(request)

    world = World([(0.0, Phase.OLD_VERSION), (8.0, Phase.NEW)], expected=expected(), answer=answer)
    assert world.wait() is ReadyOutcome.READY
    assert world.seen() == [Seen.ROWS, Seen.OTHER, Seen.AWAY, Seen.ROWS, Seen.READY]


def test_after_two_refused_sign_ins_it_ends_and_the_account_is_not_locked() -> None:
    world = World([(0.0, Phase.AWAY), (10.0, Phase.LOCKED)])

    assert world.wait() is ReadyOutcome.REFUSED
    assert world.site.sign_ins() == 2
    assert 14.9 <= world.now <= 16.0, "one pause apart"


def test_one_refused_sign_in_of_a_site_that_just_starts_is_forgiven() -> None:
    world = World([(0.0, Phase.LOCKED), (4.0, Phase.NEW)])

    assert world.wait() is ReadyOutcome.READY
    assert world.seen() == [Seen.REFUSED, Seen.ROWS, Seen.READY]


def test_refused_sign_ins_are_counted_in_all_and_not_in_a_row() -> None:
    phases = [(0.0, Phase.LOCKED), (4.0, Phase.AWAY), (30.0, Phase.LOCKED)]
    world = World(phases)

    assert world.wait() is ReadyOutcome.REFUSED
    assert world.site.sign_ins() == 2


@pytest.mark.parametrize("phase", [Phase.AWAY, Phase.TROUBLE, Phase.SIGN_IN, Phase.FORBIDDEN, Phase.EMPTY])
def test_a_site_that_gives_no_rows_is_waited_for_until_the_time_is_over(phase: Phase) -> None:
    world = World([(0.0, phase)])

    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    assert 60.0 <= world.now <= 60.1
    assert set(world.seen()) == {Seen.AWAY}


def test_a_site_in_trouble_is_asked_once_a_look() -> None:
    world = World([(0.0, Phase.TROUBLE)])

    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    assert len(world.site.asked) == len(world.looks)


def test_a_site_whose_processes_stay_old_is_waited_for_until_the_time_is_over() -> None:
    world = World([(0.0, Phase.OLD_VERSION)], expected=expected())

    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    (one,) = world.looks[-1][1].differences
    assert (one.process, one.before, one.after) == ("UsrAddTours", "2", "1")
    assert not world.site.phases_of("ProcessSchemaRequest"), "the list was enough"


def test_parameters_count_too() -> None:
    world = World([(0.0, Phase.OLD_PARAMETERS)], expected=expected())

    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    (one,) = world.looks[-1][1].differences
    assert (one.name, one.before, one.after) == ("Tours", "integer, in", "text, in")


def test_a_process_that_the_site_does_not_have_yet_is_waited_for() -> None:
    whole = expected()
    new = replace(whole.processes["UsrAddTours"], code="UsrBrandNew")
    world = World([(0.0, Phase.NEW)], expected=replace(whole, processes={"UsrBrandNew": new}))

    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    assert [one.process for one in world.looks[-1][1].differences] == ["UsrBrandNew"]


@pytest.mark.parametrize(("active", "outcome"), [(False, ReadyOutcome.READY), (True, ReadyOutcome.OVER)])
def test_a_version_that_only_the_site_has_does_not_matter_unless_it_is_the_active_one(
    *, active: bool, outcome: ReadyOutcome
) -> None:
    world = World([(0.0, Phase.NEW)], expected=expected())
    parent: Json = {"VersionParentUId": "uid-UsrAddTours", "UId": "other", "IsActiveVersion": active}
    assert isinstance(parent, dict)
    world.site.more_rows.append(listed("UsrAddTours_v9", version=9, **parent))

    assert world.wait(Readiness(longest=60.0)) is outcome


@pytest.mark.parametrize(
    "cause",
    [
        socket.gaierror(-2, "Name or service not known"),
        TimeoutError(),
        ssl.SSLError(1, "no TLS"),
        ssl.SSLEOFError(),
    ],
    ids=["no such host", "no connection in time", "no TLS", "TLS that breaks off"],
)
def test_a_host_or_a_proxy_that_is_only_starting_is_waited_for(cause: Exception) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if world.now < 30:
            raise httpx.ConnectError("no") from cause
        return world.site.over_httpx(request)

    world = World([(0.0, Phase.NEW)], answer=answer)
    assert world.wait() is ReadyOutcome.READY
    assert 35 <= world.now <= 36


def test_a_look_that_is_cut_off_by_the_end_does_not_hide_what_was_seen_before() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if world.now > 50:
            world.now = 60.0
            raise httpx.ReadTimeout("too late")
        return world.site.over_httpx(request)

    world = World([(0.0, Phase.TROUBLE)], answer=answer)
    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    assert {look.status for _, look in world.looks} == {503}


def test_who_says_stop_ends_it() -> None:
    world = World([(0.0, Phase.AWAY)], stops_at=3.0)

    assert world.wait() is ReadyOutcome.STOPPED
    assert world.now < 4.0


def test_who_may_not_see_the_library_of_processes_is_asked_for_contacts() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if b"VwProcessLib" in request.extensions["target"]:
            return httpx.Response(403)
        if b"/odata/Contact" in request.extensions["target"]:
            return httpx.Response(200, json={"value": [{"Id": "1"}]})
        return world.site.over_httpx(request)

    world = World([(0.0, Phase.NEW)], answer=answer)
    assert world.wait() is ReadyOutcome.READY


def test_a_site_that_accepts_no_session_is_signed_in_to_once_a_look() -> None:
    sign_ins = list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        if b"/Login" not in request.extensions["target"]:
            return httpx.Response(401, json={"Message": "Authentication failed."})
        sign_ins.append(world.now)
        return httpx.Response(200, json={"Code": 0, "Message": ""}, headers={"set-cookie": "BPMCSRF=1; path=/"})

    world = World(begins=[(0, Phase.NEW)], answer=answer)
    assert world.wait(Readiness(longest=10.0, every=1.0)) is ReadyOutcome.OVER
    assert len(world.looks) == 10
    assert len(sign_ins) == 1 + len(world.looks)


def test_a_session_of_before_that_is_answered_with_403_is_given_up() -> None:
    world = World([(0.0, Phase.FORBIDDEN), (3.0, Phase.NEW)])

    assert world.wait() is ReadyOutcome.READY
    assert world.site.phases_of("AuthService")[-1] is Phase.NEW


def test_who_asks_to_be_called_later_is() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(429, headers={"retry-after": "25"})

    world = World([(0.0, Phase.NEW)], answer=answer)
    assert world.wait(Readiness(longest=60.0)) is ReadyOutcome.OVER
    assert len(world.looks) == 3


OAUTH = CLIENT_CREDENTIALS.credentials(client_id="runner", client_secret="s3cret")


def test_an_oauth_client_that_is_refused_twice_ends_it_and_an_identity_service_that_starts_does_not() -> None:
    asked: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "id.example"
        asked.append(world.now)
        if world.now < 20:
            return httpx.Response(200, text="<html>starting</html>", headers={"content-type": "text/html"})
        return httpx.Response(400, json={"error": "invalid_client"})

    world = World([(0.0, Phase.NEW)], credentials=OAUTH, answer=answer)
    assert world.wait() is ReadyOutcome.REFUSED
    assert len([at for at in asked if at >= 20]) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_in_the_place_of_a_sign_in_is_no_refusal(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        del request
        page = "<html><title>stopped</title></html>" if world.now < 30 else ""
        return httpx.Response(status, text=page, headers={"content-type": "text/html"})

    world = World([(0.0, Phase.NEW)], answer=answer)
    assert world.wait() is ReadyOutcome.REFUSED
    assert world.now > 30


def test_the_processes_of_a_catalogue_that_count_are_taken_also_by_the_codes_of_versions() -> None:
    members = "    members:\n      UsrAddTours_v1: {version: 1}\n      UsrAddTours: {version: 2}\n"
    text = f"{CATALOGUE}{members}  UsrB: {{runnable: true}}\n"
    document = load("git.catalog.yaml", text.encode())
    assert not isinstance(document, tuple), document
    whole = catalogue_in(document)

    assert set(only(whole, ["UsrAddTours_v1", "UsrNobodyHasThis"]).processes) == {"UsrAddTours"}
    assert set(only(whole, []).processes) == set()
