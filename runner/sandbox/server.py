"""Serves a stand-in over a socket, in a thread, by uvicorn without its waits on the way out. No TLS, no signals.

A data file has a single sandbox: a second would cancel what the first has under way. The kernel's lock is on a file of
its own, to spare SQLite's locks; an empty file may be left. Without locks nobody is refused.
"""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from runner.foundation import threads
from runner.foundation.private_files import open_taken
from runner.foundation.problems import Problem, UsageError, errors_in
from runner.foundation.values import JsonObject
from runner.sandbox.activities import Surroundings
from runner.sandbox.app import StandIn
from runner.sandbox.doubles import STAMPS, Doubles
from runner.sandbox.loading import load_doubles
from runner.sandbox.odata import PAGE_SIZE
from runner.sandbox.process_log import log_time
from runner.sandbox.sign_in import SUPERVISOR
from runner.sandbox.store import Store
from runner.sandbox.veil import Veil


@contextmanager
def served(
    doubles: Doubles | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | Callable[[str], Path] | None = None,
    page_size: int = PAGE_SIZE,
    veil: Veil | None = None,
    has_page: bool = True,
) -> Iterator[str]:
    """The URL of a sandbox while the context lasts. Port 0 takes a free port. Raises `UsageError`.

    `data` is the file that keeps what happened, or names it by the URL; `veil` hides secrets in it. First records go
    into a new file only; a process that was caught in a wait is cancelled. `page_size` bounds a reply of OData.
    `has_page`: whoever is on this machine sees without a sign-in what happens, and may start processes.
    """
    if isinstance(doubles, Path):
        doubles, problems = load_doubles(doubles)
        if errors_in(problems):
            raise UsageError(*problems)
    with closing(_listening(host, port)) as listener, _opened(doubles, data, _url(listener), veil) as store:
        if store.is_new:
            store.fill(doubles.records)
        else:
            error = "The sandbox was stopped while this process was under way"
            store.end_interrupted(completed=_now(), error=error)
        surroundings = Surroundings(store=store, now=_now, new_id=lambda: str(uuid4()))
        app = StandIn(
            doubles,
            surroundings,
            new_token=lambda: uuid4().hex,
            clock=time.monotonic,
            page_size=page_size,
            has_page=has_page,
        )
        with _running(app, listener):
            yield _url(listener)


@contextmanager
def _opened(
    doubles: Doubles, data: Path | Callable[[str], Path] | None, url: str, veil: Veil | None
) -> Iterator[Store]:
    file = data if data is None or isinstance(data, Path) else data(url)
    with locked(file), closing(Store(doubles.columns, file=file, veil=veil, stamps=_stamps)) as store:
        yield store


def serve(
    doubles: Doubles | Path,
    *,
    ready: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    page_size: int = PAGE_SIZE,
) -> None:
    """Serve until the main thread is interrupted; `ready` is called with the URL. Raises as `served` does."""
    with served(doubles, host=host, port=port, data=data, page_size=page_size) as url:
        ready(url)
        forever = threading.Event()
        while True:
            forever.wait(1)  # Windows delivers no signal to a thread that waits without an end.


class _Line(H11Protocol):
    """uvicorn's protocol; `scope["state"]["cut"]()` ends a connection without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.close}


class _Server(Server):
    """uvicorn's server, ended at once."""

    def __init__(self, app: ASGIApp) -> None:
        config = Config(
            app,
            interface="asgi3",
            http=_Line,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            workers=1,
            timeout_keep_alive=120,
            h11_max_incomplete_event_size=1024 * 1024,
        )
        super().__init__(config)
        self.is_up = threading.Event()
        """Also set where it never came up: whoever waits for it must not wait for ever."""
        self._to_end: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve_at(self, listener: socket.socket) -> None:
        try:
            self.run(sockets=[listener])
        finally:
            self.is_up.set()

    async def main_loop(self) -> None:
        self._loop, self._to_end = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.is_up.set()
        while not self._to_end.is_set():
            try:
                await asyncio.wait_for(self._to_end.wait(), 1)
            except TimeoutError:
                await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002  uvicorn's signature
        """Answers that are still under way are cut off: a caller that ends the sandbox waits for none."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
            if isinstance(connection, H11Protocol) and not connection.transport.is_closing():
                connection.transport.abort()
        await asyncio.sleep(0)

    def end(self) -> None:
        if self._loop is not None and self._to_end is not None:
            self._loop.call_soon_threadsafe(self._to_end.set)


@contextmanager
def _running(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    server = _Server(app)
    thread = threads.start(partial(server.serve_at, listener), name="sandbox")
    server.is_up.wait()
    if not server.started:
        raise RuntimeError("the sandbox did not start")
    try:
        yield
    finally:
        server.end()
        thread.join()


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket. It names TCP: with protocol 0 asyncio leaves Nagle's algorithm on, 45 ms a call."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            if sys.platform != "win32":  # There it would let two programs share the port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as error:
        message = f"the sandbox cannot listen on {host}:{port}: {error.strerror or error}"
        raise UsageError(Problem(code="E150", message=message)) from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _now() -> str:
    return log_time(datetime.now(UTC))


def _stamps() -> JsonObject:
    now, by = _now(), SUPERVISOR.contact_id
    return dict(zip(STAMPS, (now, by, now, by), strict=True))


_ENDING = "-lock"  # as SQLite calls what it puts beside a file: `-wal`, `-shm`


@contextmanager
def locked(data: Path | None) -> Iterator[None]:
    """Hold the lock of `data` for as long as the context lasts. Raises `UsageError` where another sandbox has it."""
    if data is None:
        yield
        return
    real = Path(os.path.realpath(data))
    path = real.with_name(real.name + _ENDING)
    try:
        file = _taken(path)
    except OSError:  # what is wrong with its folder is reported when the data is opened
        file = None
    else:
        if file is None:
            message = f"the sandbox cannot keep its data in {data}: another sandbox keeps its own there"
            raise UsageError(Problem(code="E100", message=message, hint="end that sandbox, or name another file"))
    try:
        yield
    finally:
        if file is not None:
            _release(file, path)


def _taken(path: Path) -> int | None:
    """The open file, locked; None where somebody else has it. Raises `OSError` where there are no locks."""
    while (file := open_taken(path)) is not None and not _is_at(path, file):
        os.close(file)
    return file


def _is_at(path: Path, file: int) -> bool:
    """Whether it is still the same file: who held it before deletes it while others may have opened it already."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _release(file: int, path: Path) -> None:
    """Delete it while it is locked, so that nobody else's is deleted; Windows deletes none that anybody has open."""
    with suppress(OSError):
        path.unlink()
    os.close(file)
    if os.name == "nt":
        with suppress(OSError):
            path.unlink()
