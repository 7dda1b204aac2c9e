"""A site while it is deployed to, for tests: what it answers depends on its phase. No code of the sandbox.

It answers a request with method and path, over whatever carries it: a transport of httpx, or a real socket.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
from sites import REFUSED, SIGNED_IN, Answer, xml

from runner.foundation.values import Json, JsonObject

TEXT = "8B3F29BB-EA14-4CE5-A5C5-293A929B6BA2"
INTEGER = "6B6B74E2-820D-490E-A017-2B73D4CCF2B0"
CODE = "UsrAddTours"
CATALOGUE = """runner: 1
processes:
  UsrAddTours:
    runnable: true
    version: 2
    parameters:
      Tours: {type: integer, direction: in}
      Out: {type: integer, direction: out}
"""


class Phase(StrEnum):
    """In the order of a deployment."""

    AWAY = "refuses connections"
    TROUBLE = "answers 503"
    SIGN_IN = "shows its sign-in page"
    OLD_VERSION = "has the old version"
    OLD_PARAMETERS = "has the new version with the old parameters"
    NEW = "is new"
    LOCKED = "refuses the sign-in"
    FORBIDDEN = "lets nobody read"
    EMPTY = "has no rows"


LOGIN_PAGE = Answer(body='<html><form action="/Login/"><input type="password"></form></html>', kind="text/html")
TO_SIGN_IN = Answer(status=302, headers=(("Location", "/Login/NuiLogin.aspx?ReturnUrl=x"),))


@dataclass
class Deployed:
    """The site. `asked` holds the phase, method and path of every request that reached it; `more_rows` are of its
    library of processes.
    """

    phase: Phase = Phase.AWAY
    asked: list[tuple[Phase, str, str]] = field(default_factory=list)
    more_rows: list[Json] = field(default_factory=list)

    def answer(self, method: str, path: str) -> Answer:
        self.asked.append((self.phase, method, path))
        is_sign_in = "AuthService" in path
        match self.phase:
            case Phase.TROUBLE:
                return Answer(status=503, body="starting", kind="text/plain")
            case Phase.SIGN_IN:
                return LOGIN_PAGE if is_sign_in else TO_SIGN_IN
            case Phase.LOCKED if is_sign_in:
                return REFUSED
            case Phase.FORBIDDEN if not is_sign_in:
                return Answer(status=403)
            case _:
                return SIGNED_IN if is_sign_in else self._of_application(path)

    def _of_application(self, path: str) -> Answer:
        if self.phase is Phase.EMPTY:
            return _json({"value": []})
        if "/odata/VwProcessLib" in path:
            version = 1 if self.phase is Phase.OLD_VERSION else 2
            rows: Json = [listed("UsrOther", version=7), listed(CODE, version=version), *self.more_rows]
            return _json({"value": rows})
        if "ProcessSchemaRequest" in path:
            kind = TEXT if self.phase is Phase.OLD_PARAMETERS else INTEGER
            return _json(_signature(kind))
        return xml(1) if "/Execute" in path else Answer(status=404)

    def sign_ins(self) -> int:
        return sum("AuthService" in path for _, _, path in self.asked)

    def phases_of(self, part: str) -> list[Phase]:
        """The phases in which something was asked for."""
        return [phase for phase, _, path in self.asked if part in path]

    def over_httpx(self, request: httpx.Request) -> httpx.Response:
        """The same, as the transport of a client. Raises as a socket does."""
        if self.phase is Phase.AWAY:
            raise httpx.ConnectError("refused") from ConnectionRefusedError()
        target: bytes = request.extensions["target"]
        reply = self.answer(request.method, target.decode())
        headers = [("content-type", reply.kind), *reply.headers]
        return httpx.Response(reply.status, content=reply.body.encode(), headers=headers)


def _json(value: Json) -> Answer:
    return Answer(body=json.dumps(value))


def listed(code: str, *, version: int, **more: Json) -> JsonObject:
    """A row of VwProcessLib."""
    row: Json = {"Id": f"id-{code}", "UId": f"uid-{code}", "Name": code, "Caption": "", "Enabled": True}
    assert isinstance(row, dict)
    return {**row, "IsActiveVersion": True, "HasStartEvent": True, "Version": version, **more}


def _signature(kind: str) -> Json:
    parameters: Json = [
        {"name": "Tours", "uId": "1", "dataValueType": kind, "direction": 0},
        {"name": "Out", "uId": "2", "dataValueType": INTEGER, "direction": 1},
    ]
    schema: Json = {"metaData": {"schema": {"parameters": parameters, "flowElements": []}}}
    return {"success": True, "schema": {"metaData": json.dumps(schema)}}
