"""HTTP/1.1 on one connection, one request and its answer after the other. How its bytes are read is h11's business.

An answer belongs to the request before it and to no other: where anything comes that nobody has asked for, before a
request or after its answer, the connection is not used again.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from runner.service.libraries import h11, httpx
from runner.service.sockets import Stream

_CHUNK: Final = 64 * 1024
_LONGEST_HEAD: Final = 100 * 1024


class SpokeFirstError(Exception):
    """Something came on a connection on which nothing had been asked yet. Nothing was sent on it."""


class Connection:
    """One connection to one origin. Raises errors of httpx, whose cause is what the socket said."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    def has_come(self) -> bool:
        """Whether something has come that nobody asked for. Then nothing is to be sent."""
        return self._stream.has_come()

    def ask(self, request: httpx.Request, deadline: float) -> h11.Response:
        """Send `request` and read the head of its answer; its body is to be read next.

        A server may answer before all is written, and close: so an answer is read also where writing broke half way.
        """
        with contextlib.suppress(httpx.WriteError):
            self._send(request, deadline)
        while not isinstance(event := self._event(deadline), h11.Response):
            pass  # what comes before it tells that it will come
        return event

    def body(self, deadline: float) -> Iterator[bytes]:
        while isinstance(event := self._event(deadline), h11.Data):
            yield bytes(event.data)

    def make_ready(self) -> bool:
        """Whether another request may be sent: the answer was read whole, and nothing has come behind it."""
        http = self._http
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or http.trailing_data[0]:
            return False
        http.start_next_cycle()
        return not self.has_come()

    def close(self) -> None:
        self._stream.close()

    def _send(self, request: httpx.Request, deadline: float) -> None:
        try:
            head = h11.Request(method=request.method, target=request.extensions["target"], headers=request.headers.raw)
            parts = [self._http.send(head)]
            body = request.read()
            parts += [self._http.send(h11.Data(data=body))] if body else []
            parts.append(self._http.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        for part in parts:
            if part:
                self._stream.write(part, deadline)

    def _event(self, deadline: float) -> object:
        while True:
            try:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                received = self._stream.read(_CHUNK, deadline)
                if not received and self._http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self._http.receive_data(received)
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
