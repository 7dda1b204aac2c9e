"""Sandboxes for tests: a folder written from texts, served over a real socket, called by a client that is not ours."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from logging.handlers import BufferingHandler
from pathlib import Path

import httpx
import pytest

from runner.sandbox.server import served

ECHO = """
runner: 1
process: UsrEcho
caption: Echo what was given
parameters:
  Text: {type: text, direction: both}
  Count: {type: integer, direction: both}
  Price: {type: money, direction: both}
  Flag: {type: boolean, direction: both}
  Key: {type: guid, direction: both}
  At: {type: datetime, direction: both}
  Day: {type: date, direction: both}
  Clock: {type: time, direction: both}
  Rows: {type: records, direction: both, items: {Id: guid, Name: text, Rank: integer}}
  Hidden: {type: text, direction: internal}
  Made: {type: text, direction: out}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Writes doubles by file name, each with its first two lines left out where it is short of them."""

    def write(files: Mapping[str, str]) -> Path:
        target = tmp_path / "doubles"
        target.mkdir(exist_ok=True)
        for name, text in files.items():
            (target / name).write_text(text, encoding="utf-8")
        return target

    return write


def _sign_in(client: httpx.Client) -> httpx.Client:
    credentials = {"UserName": "Supervisor", "UserPassword": "Supervisor"}
    reply = client.post("/ServiceModel/AuthService.svc/Login", json=credentials)
    assert reply.json()["Code"] == 0
    client.headers["BPMCSRF"] = client.cookies["BPMCSRF"]
    return client


@pytest.fixture
def signed_in() -> Iterator[Callable[[str], httpx.Client]]:
    """Signs in at a URL, as the documentation says, and gives a client that carries the session."""
    with ExitStack() as clients:
        yield lambda url: _sign_in(clients.enter_context(httpx.Client(base_url=url, trust_env=False, verify=False)))


@pytest.fixture
def site(
    folder: Callable[[Mapping[str, str]], Path], signed_in: Callable[[str], httpx.Client]
) -> Iterator[Callable[[Mapping[str, str]], httpx.Client]]:
    """Serves doubles by file name, and gives a client that is signed in."""
    with ExitStack() as sandboxes:
        yield lambda files: signed_in(sandboxes.enter_context(served(folder(files))))


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Mapping[str, str]], httpx.Client]]:
    """Like `site`, for tests that change neither records nor the client: all that have the same doubles share one."""
    with ExitStack() as contexts:

        @cache
        def serve(files: tuple[tuple[str, str], ...]) -> httpx.Client:
            doubles = tmp_path_factory.mktemp("doubles")
            for name, text in files:
                (doubles / name).write_text(text, encoding="utf-8")
            url = contexts.enter_context(served(doubles))
            return _sign_in(contexts.enter_context(httpx.Client(base_url=url, trust_env=False, verify=False)))

        yield lambda files: serve(tuple(files.items()))


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What libraries log, as warnings or worse."""
    handler = BufferingHandler(capacity=1_000)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    yield handler.buffer
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def echo(site: Callable[[Mapping[str, str]], httpx.Client]) -> httpx.Client:
    """A process with one parameter of each type, which does nothing."""
    return site({"echo.process.yaml": ECHO})


@pytest.fixture
def shared_echo(shared_site: Callable[[Mapping[str, str]], httpx.Client]) -> httpx.Client:
    """The same, whose log has rows of other tests."""
    return shared_site({"echo.process.yaml": ECHO})
