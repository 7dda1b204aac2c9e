"""Answers of a function in the place of the network. The function takes and gives what `httpx.MockTransport` does."""

from collections.abc import Callable
from typing import NoReturn

import h11
import httpx

from runner.service.connection import Incoming, NotConnectedError, Outgoing, UnwantedError


class Answers:
    """A transport that asks `answer`. Path and deadline are the request's extensions `target` and `deadline`."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self._answer = answer

    def send(self, outgoing: Outgoing) -> Incoming:
        if not outgoing.leaves():
            raise UnwantedError
        scheme, host, port = outgoing.origin
        request = httpx.Request(
            outgoing.method,
            f"{scheme}://{host}:{port}",
            headers=outgoing.headers,
            content=outgoing.body or b"",
            extensions={"target": outgoing.target, "deadline": outgoing.deadline},
        )
        try:
            response = self._answer(request)
        except httpx.HTTPError as error:
            _raise(error)
        return Incoming(response.status_code, tuple(response.headers.raw), response.read())

    def close(self) -> None: ...


def _raise(error: httpx.HTTPError) -> NoReturn:
    """What the network raises where httpx has `error`."""
    match error:
        case httpx.ConnectTimeout():
            raise NotConnectedError from TimeoutError()
        case httpx.ConnectError():
            raise NotConnectedError from error.__cause__
        case httpx.TimeoutException():
            raise TimeoutError from error
        case httpx.RemoteProtocolError():
            raise h11.RemoteProtocolError(str(error)) from error
        case _:
            raise EOFError from error
