"""Targets made ready: one client for each, and what no event may hold known to every run."""

import gc
import json
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sites
from msgspec.structs import replace
from sites import NOTHING, Answer, xml

from runner.foundation.problems import UsageError
from runner.project.sites import Hidden, ReadySite, Sites
from runner.secrets.redact import Secrets
from runner.service.auth import CLIENT_CREDENTIALS, PASSWORD
from runner.service.calls import Answered, ExecuteCall
from runner.service.gate import OpenGate
from runner.service.site import CallOptions, ExecuteMethod, Runtime
from runner.targets.model import SandboxTarget, SiteTarget, Target

CALL = ExecuteCall(process="UsrRead", parameters={}, result="Value")


def no_file(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def opened(*, url: str = "", **environment: str) -> Sites:
    @contextmanager
    def serve(_folder: Path) -> Iterator[str]:
        yield url

    return Sites(serve=serve, environment=environment, read_file=no_file)


class Patient(OpenGate):
    """Is wanted until it had to wait, unless it may go on at once."""

    has_waited = False

    def wait(self, seconds: float) -> None:
        if seconds > 1:
            self.is_wanted = lambda: False  # type: ignore[method-assign]  # what follows is not wanted
        else:
            super().wait(seconds)
        self.has_waited = True


def masked(ready: ReadySite, text: str) -> str:
    secrets = Secrets()
    ready.hide_in(secrets)
    return secrets.mask(text)


def site(url: str, *, name: str = "here") -> SiteTarget:
    auth = PASSWORD.credentials(username="Supervisor", password="{{ env.PASSWORD }}")
    return SiteTarget(name=name, url=url, auth=auth)


def oauth(method: str, path: str) -> Answer:
    """A site that is its own identity service."""
    if path == "/connect/token":
        return Answer(body=json.dumps({"access_token": "t0ken-of-the-client", "expires_in": 3600}))
    return xml("got t0ken-of-the-client") if "/Execute" in path and method == "GET" else NOTHING


def test_one_target_is_made_ready_once_and_signs_in_once_for_all_runs() -> None:
    with sites.site(lambda _method, _path: xml(1)) as here, opened(PASSWORD="hunter22") as ready:
        first, second = ready.of(site(here.url)), ready.of(site(here.url))
        assert first is second
        assert [found.client.perform(CALL, 5) for found in (first, second)] == [Answered(value=1)] * 2
    assert [line for line in here.asked if "AuthService" in line] == ["POST /ServiceModel/AuthService.svc/Login"]


def test_who_signs_in_is_hidden_in_the_secrets_of_every_run() -> None:
    with opened(PASSWORD="hunter22") as ready:
        found = ready.of(site("https://crm.example"))

        assert masked(found, "Supervisor hunter22") == "*** ***"
        assert masked(found, "Supervisor hunter22") == "*** ***"


def test_a_token_is_hidden_in_every_run_also_in_one_that_began_before_it_was_there() -> None:
    with sites.site(oauth) as here, opened() as ready:
        client = CLIENT_CREDENTIALS.credentials(client_id="the-client", client_secret="the-secret")
        found = ready.of(SiteTarget(name="here", url=here.url, auth=client, identity_url=here.url))
        early = Secrets()
        found.hide_in(early)

        ending = found.client.perform(CALL, 5)

        assert ending == Answered(value="got t0ken-of-the-client")
        assert early.mask("got t0ken-of-the-client") == "got ***"
        assert masked(found, "got t0ken-of-the-client, the-secret") == "got ***, ***"


def test_headers_and_a_proxy_are_hidden() -> None:
    target = SiteTarget(
        name="a", url="https://a.example", headers=(("X-Key", "gateway-key"),), proxy="http://user:passw0rd@proxy:3128"
    )
    with opened() as ready:
        assert masked(ready.of(target), "gateway-key passw0rd http://user:passw0rd@proxy:3128") == "*** *** ***"


def test_headers_come_with_every_call_to_the_site_also_with_the_sign_in() -> None:
    auth = PASSWORD.credentials(username="a", password="b")
    with sites.site(lambda _method, _path: xml(1)) as here, opened() as ready:
        found = ready.of(SiteTarget(name="a", url=here.url, auth=auth, headers=(("X-Key", "gateway"),)))
        assert found.client.perform(CALL, 5) == Answered(value=1)
    assert [headers["X-Key"] for headers in here.headers] == ["gateway"] * 2


def test_what_is_missing_is_reported_before_anything_is_sent() -> None:
    with opened() as ready, pytest.raises(UsageError, match="`PASSWORD` is not set"):
        ready.of(site("https://crm.example"))


def test_a_file_of_authorities_that_is_not_there_is_reported_before_anything_is_sent() -> None:
    target = SiteTarget(name="a", url="https://a.example", ca_file="ca.pem", beside=Path("specs"))
    with (
        opened() as ready,
        pytest.raises(UsageError, match=r"`ca_file`: the file `specs/ca[.]pem` cannot be read"),
    ):
        ready.of(target)


def test_a_sandbox_is_rehearsed_on_as_its_target_says() -> None:
    target: Target = SandboxTarget(
        name="rehearsal",
        folder=Path("sandbox"),
        runtime=Runtime.NET,
        calls=CallOptions(execute_method=ExecuteMethod.POST, rate=2),
    )
    gate = Patient()
    with sites.site(lambda _method, _path: xml(1)) as here, opened(url=here.url) as ready:
        found = ready.of(target)
        assert found.name.sandbox
        assert found.client.perform(CALL, 5, gate=gate) == Answered(value=1)
    assert gate.has_waited
    assert here.executes() == ["POST /ServiceModel/ProcessEngineService.svc/UsrRead/Execute?ResultParameterName=Value"]
    assert masked(found, "Supervisor") == "Supervisor"


def test_a_rate_is_kept_by_whoever_calls() -> None:
    gates = [Patient(), Patient(), Patient()]
    with sites.site(lambda _method, _path: xml(1)) as here, opened() as ready:
        found = ready.of(SiteTarget(name="a", url=here.url, calls=CallOptions(rate=0.01)))
        for gate in gates:
            found.client.perform(CALL, 5, gate=gate)
    assert [gate.has_waited for gate in gates] == [False, True, True]
    assert [line for line in here.asked if "/Execute" in line] == here.asked[:1]


def test_two_targets_of_one_site_have_one_key_and_each_account_of_it_another() -> None:
    with sites.site(lambda _method, _path: xml(1)) as here, opened(PASSWORD="hunter22") as ready:
        port = here.url.rpartition(":")[2]
        spelt = [here.url, f"HTTP://LOCALHOST:{port}/", f"http://[::1]:{port}"]
        same = [ready.of(site(url, name=f"t{number}")) for number, url in enumerate(spelt)]
        other = ready.of(
            replace(site(here.url), auth=PASSWORD.credentials(username="Somebody", password="{{ env.PASSWORD }}"))
        )
        client = ready.of(
            replace(
                site(here.url),
                identity_url=here.url,
                auth=CLIENT_CREDENTIALS.credentials(client_id="c", client_secret="s"),
            )
        )
        assert len({one.key for one in (*same, other, client)}) == 1
        assert len({one.account_key for one in same}) == 1
        assert len({one.account_key for one in (same[0], other, client)}) == 3


def test_a_run_that_has_ended_is_not_held_by_its_site() -> None:
    hidden, secrets = Hidden([("token", "a long secret")]), Secrets()
    hidden.inform(secrets)
    gone = weakref.ref(secrets)
    del secrets
    gc.collect()
    assert gone() is None
    hidden.add("cookie", "another secret")
