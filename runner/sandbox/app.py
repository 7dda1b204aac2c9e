"""The stand-in as an ASGI application: which call goes where, and who may make it.

Both prefixes are served, `/0` and none, whatever the runtime [D]. What is not routed answers 404 with an empty body, a
routed method by another verb, too [M]; 405 says that OData, `/` and `/ping` are asked by another method, 400 that this
is no proxy, 403 that a page of another site asks (`origins`), 413 that a body is too large [?]. Of headers only BPMCSRF
is asked for [C].
"""

from asyncio import CancelledError
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runner.sandbox.activities import Surroundings
from runner.sandbox.answering import CallInHand, Cut, Half, login_page
from runner.sandbox.control import Control
from runner.sandbox.doubles import Doubles
from runner.sandbox.engine import Engine
from runner.sandbox.entities import Entities
from runner.sandbox.fault_kinds import FAULT_KINDS
from runner.sandbox.odata import CHANGES, OData, refuse
from runner.sandbox.origins import is_of_foreign_page
from runner.sandbox.process_schemas import schema_reply
from runner.sandbox.recent_calls import RecentCall, RecentCalls
from runner.sandbox.replies import not_allowed, not_signed_in, nothing, plain_json, record_in
from runner.sandbox.service import PreparedCall, ProcessEngineService
from runner.sandbox.sign_in import Sessions, Tokens, User

_LARGEST_BODY = 32 * 1024 * 1024
_OF_THE_LIVING = ("GET", "HEAD", "POST")  # the methods by which clients ask whether the site is alive [C]


class StandIn:
    """`clock` gives seconds, from any start; `new_token` a text that nobody can guess."""

    def __init__(
        self,
        doubles: Doubles,
        surroundings: Surroundings,
        *,
        new_token: Callable[[], str],
        clock: Callable[[], float],
        page_size: int,
        has_page: bool = True,
    ) -> None:
        store = surroundings.store
        self._doubles = doubles.processes
        self._has_page = has_page
        self._calls = RecentCalls(now=surroundings.now, clock=clock)
        self._sessions = Sessions(new_token)
        self._tokens = Tokens(new_token, clock=clock)
        self._engine = Engine(doubles.processes, surroundings)
        self._service = ProcessEngineService(self._engine)
        entities = Entities(store, doubles.processes.values())
        self._odata = OData(store, entities, new_id=surroundings.new_id, page_size=page_size)
        self._control = Control(doubles.processes, self._engine, entities=entities, calls=self._calls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        parts = tuple(str(scope["path"]).strip("/").split("/"))
        try:
            body = await _body(request)
            if body is None:
                response = nothing(413)
            elif self._has_page and (parts[0] == "sandbox" or (parts == ("",) and request.method in {"GET", "HEAD"})):
                response = self._control.answer(request, parts[1:], body)
            else:
                response = await self._recorded(request, parts, body)
        except (ClientDisconnect, CancelledError):  # Nobody is left to be answered: the caller left, or we are ended.
            return
        await response(scope, receive, send)

    async def _recorded(self, request: Request, parts: tuple[str, ...], body: bytes) -> Response:
        query = bytes(request.scope["query_string"]).decode("latin-1")
        call = self._calls.came(request.method, f"{request.scope['path']}{'?' if query else ''}{query}", body)
        response = await self._answer(request, parts, body, call)
        match response:
            case Cut():
                self._calls.went(call, None)
            case Half(sent=sent) | Response(body=sent):
                self._calls.went(call, response.status_code, bytes(sent))
        return response

    async def _answer(self, request: Request, parts: tuple[str, ...], body: bytes, call: RecentCall) -> Response:
        if is_of_foreign_page(request):
            return nothing(403)
        if (answered := self._without_session(request, parts, body)) is not None:
            return answered
        user = self._tokens.user_of(request) or self._sessions.user_of(request)
        if isinstance(user, Response):
            return user
        prefix, parts = ("/0", parts[1:]) if parts[0] == "0" else ("", parts)
        root = f"http://{request.headers.get('host', '')}{prefix}/odata/"
        match request.method, parts:
            case "GET" | "HEAD", ("odata", *address):
                return self._odata.read(tuple(address), request.query_params, root=root)
            case "POST" | "PATCH" | "DELETE", ("odata", *address):
                response, changed = self._odata.write(CHANGES[request.method], tuple(address), body, root=root)
                if changed is not None:
                    self._engine.signal(changed, user)
                return response
            case _, ("odata", *_):
                return refuse()
            case "POST", ("ServiceModel", "AuthService.svc", "Logout"):
                return self._sessions.sign_out(request)
            case "POST", ("ServiceModel", "UserInfoService.svc", "GetCurrentUserInfo"):
                return _about(user)
            case "POST", ("DataService", "json", "SyncReply", "ProcessSchemaRequest"):
                return plain_json(schema_reply(self._doubles.values(), str(record_in(body).get("uId", ""))))
            case verb, ("ServiceModel", "ProcessEngineService.svc", *method):
                called = self._called((verb, *method), request, body, user)
                return called if isinstance(called, Response) else await self._carried_out(called, call)
        return nothing(404)

    def _without_session(self, request: Request, parts: tuple[str, ...], body: bytes) -> Response | None:
        """The answer to a call that needs no session; None for any other."""
        match request.method, parts:
            case "CONNECT", _:  # that is asked of a proxy
                return nothing(400)
            case verb, ("" | "0" | "ping",) | ("0", "ping"):
                return nothing(200) if verb in _OF_THE_LIVING else not_allowed(*_OF_THE_LIVING)
            case "GET", ("api", "HealthCheck", "Ping") | ("0", "api", "HealthCheck", "Ping"):
                return nothing(200)
            case "POST", ("ServiceModel", "AuthService.svc", "Login"):
                return self._sessions.sign_in(body)
            case "POST", ("0", "ServiceModel", "AuthService.svc", "Login"):  # also where there is a session [D]
                return not_signed_in()
            case "POST", ("connect", "token") | ("0", "connect", "token"):
                return self._tokens.give(body, authorization=request.headers.get("authorization", ""))
            case "GET", ("Login", _):
                return login_page()
        return None

    def _called(self, method: tuple[str, ...], request: Request, body: bytes, user: User) -> PreparedCall | Response:
        """`method` is the verb and the rest of the path; parameters of Execute are in the query, by POST too [C]."""
        query = request.query_params
        match method:
            case "GET" | "POST", code, "Execute":
                return self._service.execute(code, query, user)
            case "POST", "RunProcess":
                return self._service.run_process(body, user)
            case "POST", "RunSpecifiedProcessVersion":
                return self._service.run_process(body, user, as_version=True)
            case "GET" | "POST", "ExecProcElByUId", uid:
                return self._service.execute_element(uid)
            case "GET" | "POST", "ExecProcElByUId":
                uid = next((value for name, value in query.items() if name.lower() == "processelementuid"), "")
                return self._service.execute_element(uid)
            case "POST", "ExecProcElementByUId":
                return self._service.execute_element_in_json(body)
            case "POST", "CompleteExecuting":
                return self._service.complete_element(body)
            case "POST", "CancelExecution":
                return self._service.cancel(body)
        return nothing(404)

    async def _carried_out(self, called: PreparedCall, call: RecentCall) -> Response:
        fault = self._control.faults.take(called.process, root=called.root, starts=called.queued is not None)
        call.fault, in_hand = fault, CallInHand(call=called, engine=self._engine)
        reply = in_hand.answered() if fault is None else FAULT_KINDS[fault.kind].effect(in_hand, fault.seconds)
        return reply if isinstance(reply, Response) else await reply


async def _body(request: Request) -> bytes | None:
    """The whole body, or None where it is too large. Reading it first answers `Expect: 100-continue`, too."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return None
    return bytes(body)


def _about(user: User) -> Response:
    known = {"userId": user.id, "contactId": user.contact_id, "userName": user.name}
    return plain_json({**known, "cultureName": user.culture})
