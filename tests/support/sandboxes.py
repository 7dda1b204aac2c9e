"""A sandbox for tests that is served in this process, and what it knows itself: its log shows what really started.

It is read past everything that the runner reads and believes: from the sandbox's file, where it has one.
"""

import http.client
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runner.foundation.values import JsonObject
from runner.sandbox.doubles import Doubles
from runner.sandbox.server import served

MARK = "Mark"
"""The parameter of a double that says which step of which run has started it."""
SHOWN = 100
"""So many starts are shown by a sandbox that has no file."""


@dataclass(frozen=True, slots=True)
class Start:
    """One process that was started. `mark` is empty where its double has no such parameter."""

    process: str
    mark: str
    status: str


@dataclass(frozen=True, slots=True)
class ServedSandbox:
    """A sandbox that is served at `url` and keeps what happens in `data`, or in memory."""

    url: str
    data: Path | None

    def starts(self) -> list[Start]:
        """Everything that was started so far, the oldest first."""
        if self.data is None:
            shown = json.loads(self._ask("GET", "/sandbox/instances"))
            assert len(shown) < SHOWN
            return [_start(one["process"], one["parameters"], one["status"]) for one in reversed(shown)]
        sql = "SELECT code, parameters, status FROM process ORDER BY rowid"
        with closing(sqlite3.connect(self.data)) as database:
            rows = database.execute(sql).fetchall()
        return [_start(code, json.loads(parameters), status) for code, parameters, status in rows]

    def set_fault(self, fault: str, process: str, *, times: int | None = 1, seconds: float | None = None) -> None:
        body = {"fault": fault, "process": process, "times": times, "seconds": seconds}
        self._ask("POST", "/sandbox/faults", json.dumps(body))

    def calls(self) -> list[str]:
        """Method and address of the calls that came last, the oldest first, also of those that are under way."""
        listed = json.loads(self._ask("GET", "/sandbox/calls"))
        return [f"{call['method']} {call['address']}" for call in reversed(listed)]

    def targets(self, *, more: str = "") -> str:
        """A targets file with this sandbox as a site called `here`."""
        auth = "{username: Supervisor, password: Supervisor}"
        return f"runner: 1\ntargets:\n  here:\n    url: {self.url}\n    auth: {auth}\n    settle: 100ms\n{more}"

    def _ask(self, method: str, path: str, body: str | None = None) -> str:
        with closing(http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=300)) as connection:
            connection.request(method, path, body)
            reply = connection.getresponse()
            text = reply.read().decode()
        assert reply.status == http.HTTPStatus.OK, text
        return text


def _start(process: str, parameters: JsonObject, status: str) -> Start:
    return Start(process, str(parameters.get(MARK, "")), status)


@contextmanager
def serve_sandbox(doubles: Doubles | Path, data: Path | None = None) -> Iterator[ServedSandbox]:
    """Serve doubles, or a folder of them, on a free port of loopback. What happens is kept in the file `data`, if any:
    a sandbox without one shows only what came last.
    """
    with served(doubles, data=data) as url:
        yield ServedSandbox(url, data)


def doubled(starts: list[Start]) -> dict[str, int]:
    """The marks that were seen more than once, with how often."""
    return {mark: times for mark, times in Counter(start.mark for start in starts).items() if mark and times > 1}
