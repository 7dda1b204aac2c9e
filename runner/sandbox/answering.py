"""Answering a call, with what a fault makes of it.

What the other side of a broken network looks like is real: a connection that is cut is cut (`server` gives the scope of
each request a `cut`). What each fault answers is our choice [?] where SERVICE.md section 5 says nothing. A process
that a broken call has started goes on by itself.
"""

import asyncio
from typing import assert_never

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from runner.sandbox.doubles import Fault, FaultKind
from runner.sandbox.engine import Begun, Engine
from runner.sandbox.replies import fault, not_signed_in
from runner.sandbox.service import Call, Wait

LOGIN_PAGE = "/Login/NuiLogin.aspx"
_FAILING = "The sandbox was told to let this process fail (success_but_error)"
_NO_SERVICE = "The sandbox was told to answer with a fault (status_500)"
_PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


class Cut(Response):
    """No answer at all: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        scope["state"]["cut"]()
        await receive()  # until the server has noticed, so that it sends no answer of its own


class Half(Response):
    """The first half of an answer that promises the whole."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, status_code=whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        scope["state"]["cut"]()
        await receive()


async def answer(call: Call, engine: Engine, befalls: Fault | None) -> Response:
    """The answer to `call`, or what is left of it."""
    if befalls is None:
        return await _answered(call, engine)
    match befalls.kind:
        case FaultKind.SLOW:
            reply = await _answered(call, engine)
            await asyncio.sleep(befalls.seconds)
            return reply
        case FaultKind.HALF_BODY:
            return Half(await _answered(call, engine))
        case FaultKind.SUCCESS_BUT_ERROR:
            return await _answered(call, engine, failing=_FAILING)
        case FaultKind.QUEUED:
            assert call.queued is not None
            engine.let_go_later(befalls.seconds, lambda: call.begin(None))
            return call.queued()
        case FaultKind.DROP_AFTER | FaultKind.GATEWAY_504 | FaultKind.HTML:
            engine.let_go(call.begin(None))
            return _instead(befalls.kind)
        case FaultKind.DROP_BEFORE | FaultKind.STATUS_500 | FaultKind.LOGIN_PAGE | FaultKind.UNAUTHORIZED:
            return _instead(befalls.kind)
        case _:
            assert_never(befalls.kind)


def login_page() -> Response:
    """The page that a call without a session is sent to; real clients know it by `/Login/` in it [M]."""
    script = '<script src="/Login/Login.js"></script>'
    return HTMLResponse(f"<html><head><title>Login</title>{script}</head><body></body></html>")


async def _answered(call: Call, engine: Engine, *, failing: str | None = None) -> Response:
    begun = call.begin(failing)
    await _waited(call.wait, engine, begun)
    return call.reply(begun)


async def _waited(wait: Wait, engine: Engine, begun: Begun) -> None:
    match wait:
        case Wait.NOT_AT_ALL:
            engine.let_go(begun)
        case Wait.FOR_THE_BACKGROUND:
            await engine.to_the_background(begun)
        case Wait.FOR_THE_END:
            await engine.to_the_end(begun)
        case _:
            assert_never(wait)


def _instead(kind: FaultKind) -> Response:
    """What stands in the place of the answer."""
    match kind:
        case FaultKind.STATUS_500:
            return fault(_NO_SERVICE)
        case FaultKind.LOGIN_PAGE:
            return RedirectResponse(LOGIN_PAGE, status_code=302)
        case FaultKind.UNAUTHORIZED:
            return not_signed_in()
        case FaultKind.GATEWAY_504:
            return HTMLResponse(_PAGE.format(title="504 Gateway Time-out"), status_code=504)
        case FaultKind.HTML:
            return HTMLResponse(_PAGE.format(title="Down for maintenance"))
        case _:
            return Cut()
