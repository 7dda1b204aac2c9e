"""Executing a call and answering it, or what a fault makes of it (`fault_kinds`)."""

import asyncio
from typing import assert_never

from msgspec import Struct
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from runner.sandbox import replies
from runner.sandbox.engine import Begun, Engine
from runner.sandbox.service import CallerWait, PreparedCall

LOGIN_PAGE = "/Login/NuiLogin.aspx"
_PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


class Cut(Response):
    """No answer at all: the connection ends. `server` gives the scope of each request a `cut`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del send
        scope["state"]["cut"]()
        await receive()  # until the server has noticed, so that it sends no answer of its own


class Half(Response):
    """The first half of an answer that promises the whole."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self.sent = bytes(self.body[: len(self.body) // 2])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.sent, "more_body": True})
        scope["state"]["cut"]()
        await receive()


def login_page() -> Response:
    """The page that a call without a session is sent to; real clients know it by `/Login/` in it [M]."""
    script = '<script src="/Login/Login.js"></script>'
    return HTMLResponse(f"<html><head><title>Login</title>{script}</head><body></body></html>")


class CallInHand(Struct, frozen=True, kw_only=True):
    """A call that a fault may be applied to."""

    call: PreparedCall
    engine: Engine

    async def answered(self, *, failing: str | None = None) -> Response:
        """Carry it out, and give the right answer. With `failing` its process fails at its end with that text."""
        begun = self.call.begin(failing)
        await self._waited(begun)
        return self.call.reply(begun)

    def started(self) -> "CallInHand":
        """The same call, which is carried out by itself: nobody waits for it."""
        self.engine.run_in_background(self.call.begin(None))
        return self

    def queued(self, seconds: float) -> Response:
        """Start its process later, and give the answer of a process that is queued."""
        assert self.call.queued is not None
        self.engine.run_later(seconds, lambda: self.call.begin(None))
        return self.call.queued()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def half(self, whole: Response) -> Response:
        return Half(whole)

    def cut(self) -> Response:
        return Cut()

    def page(self, title: str, *, status: int = 200) -> Response:
        return HTMLResponse(_PAGE.format(title=title), status_code=status)

    def service_fault(self, text: str) -> Response:
        return replies.fault(text)

    def to_login_page(self) -> Response:
        return RedirectResponse(LOGIN_PAGE, status_code=302)

    def not_signed_in(self) -> Response:
        return replies.not_signed_in()

    async def _waited(self, begun: Begun) -> None:
        match self.call.wait:
            case CallerWait.NOT_AT_ALL:
                self.engine.run_in_background(begun)
            case CallerWait.FOR_THE_BACKGROUND:
                await self.engine.carry_out(begun, in_background=True)
            case CallerWait.FOR_THE_END:
                await self.engine.carry_out(begun)
            case _:
                assert_never(self.call.wait)
