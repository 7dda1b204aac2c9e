"""The stand-in as an ASGI application: which call goes where, and who may make it.

Both prefixes are served, `/0` and none, whatever runtime a site claims to be [D]. What is not routed answers 404 with
an empty body, a routed method by another verb, too [M]. No header is ever asked for but BPMCSRF, and no `Accept` or
`Content-Type` refused [C]. A body beyond any use is cut off with 413 [?].
"""

from asyncio import CancelledError
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runner.sandbox.activities import Surroundings
from runner.sandbox.doubles import Doubles
from runner.sandbox.odata import OData
from runner.sandbox.replies import nothing, plain_json
from runner.sandbox.service import ProcessEngine
from runner.sandbox.sign_in import Sessions, User

_LARGEST_BODY = 32 * 1024 * 1024


class StandIn:
    def __init__(self, doubles: Doubles, surroundings: Surroundings, *, new_token: Callable[[], str]) -> None:
        self._sessions = Sessions(new_token)
        self._engine = ProcessEngine(doubles.processes, surroundings)
        self._odata = OData(surroundings.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await _body(request)
            response = nothing(413) if body is None else await self._answer(request, body)
        except (ClientDisconnect, CancelledError):  # Nobody is left to be answered: the caller left, or we are ended.
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, body: bytes) -> Response:
        parts = tuple(str(request.scope["path"]).strip("/").split("/"))
        match request.method, parts:
            case _, ("" | "0" | "ping",) | ("0", "ping"):
                return nothing(200)
            case "POST", ("ServiceModel", "AuthService.svc", "Login"):
                return self._sessions.sign_in(body)
        user = self._sessions.user_of(request)
        if isinstance(user, Response):
            return user
        prefix, parts = ("/0", parts[1:]) if parts[0] == "0" else ("", parts)
        match request.method, parts:
            case "GET" | "HEAD", ("odata", *address):
                root = f"http://{request.headers.get('host', '')}{prefix}/odata/"
                return self._odata.read(tuple(address), request.query_params, root=root)
            case "POST", ("ServiceModel", "UserInfoService.svc", "GetCurrentUserInfo"):
                return _introduced(user)
            case verb, ("ServiceModel", "ProcessEngineService.svc", *call):
                return await self._called((verb, *call), request.query_params, body, user)
        return nothing(404)

    async def _called(self, call: tuple[str, ...], query: Mapping[str, str], body: bytes, user: User) -> Response:
        """`call` is the verb and the rest of the path; parameters of Execute are in the query, by POST too [C]."""
        match call:
            case "GET" | "POST", code, "Execute":
                return await self._engine.execute(code, query, user)
            case "GET" | "POST", "ExecProcElByUId", uid:
                return await self._engine.execute_element(uid)
            case "GET" | "POST", "ExecProcElByUId":
                uid = next((value for name, value in query.items() if name.lower() == "processelementuid"), "")
                return await self._engine.execute_element(uid)
            case "POST", "ExecProcElementByUId":
                return await self._engine.execute_element_of(body)
            case "POST", "CompleteExecuting":
                return await self._engine.complete_element(body)
        return nothing(404)


async def _body(request: Request) -> bytes | None:
    """The whole body, or None where it is too large. Reading it first answers `Expect: 100-continue`, too."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return None
    return bytes(body)


def _introduced(user: User) -> Response:
    return plain_json(
        {"userId": user.id, "contactId": user.contact_id, "userName": user.name, "cultureName": user.culture}
    )
