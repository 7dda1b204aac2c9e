"""Calls through a proxy over real sockets: what it is asked, and each way in which it does not let us through."""

import contextlib
import errno
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from runner.service.calls import Answered, CallFailed, Ending, ExecuteCall, FailureKind
from runner.service.client import Client
from runner.service.connecting import ProxyError, proxy_of
from runner.service.outages import no_connection
from runner.service.site import Site

CALL = ExecuteCall(process="P", parameters={})
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<string>42</string>"
AUTHORITY = (Path(__file__).parent / "certificates" / "authority.pem").read_text()

Act: TypeAlias = bytes | Callable[[socket.socket], object]


class Peer:
    """Answers the first request of each connection with `act`, and what comes after it in the tunnel as the site."""

    def __init__(self, act: Act = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.act = act
        self.heads: list[bytes] = []
        self.calls: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listening.accept()
                threading.Thread(target=self.converse, args=(line,), daemon=True).start()

    def converse(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            self.heads.append(line.recv(65536))
            line.sendall(self.act) if isinstance(self.act, bytes) else self.act(line)
            while request := line.recv(65536):
                self.calls.append(request)
                line.sendall(REPLY)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


@contextlib.contextmanager
def proxy(act: Act = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Iterator[Peer]:
    peer = Peer(act)
    yield peer
    peer.close()


def perform(
    port: int, *, named: str = "", url: str = "http://crm.example", seconds: float = 60, calls: int = 1
) -> Ending:
    clock = (lambda: 0.0) if calls > 1 else time.monotonic  # on a busy machine a connection would rest for too long
    client = Client(Site(url=url, proxy=f"http://{named}127.0.0.1:{port}"), clock=clock)
    with contextlib.closing(client):
        return [client.perform(CALL, seconds) for _ in range(calls)][-1]


def failed(ending: Ending) -> CallFailed:
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.NOT_SENT, "E301")
    assert "127.0.0.1" not in repr(ending)
    assert "hunter2" not in repr(ending)
    return ending


def test_calls_go_through_one_tunnel_and_the_proxy_looks_up_the_host() -> None:
    with proxy() as peer:
        assert perform(peer.port, calls=3) == Answered(value=42)
    (head,) = peer.heads
    assert head.startswith(b"CONNECT crm.example:80 HTTP/1.1\r\nHost: crm.example:80\r\nUser-Agent: creatio-runner/")
    assert b"Proxy-Authorization" not in head
    assert [call.partition(b"\r\n")[0] for call in peer.calls] == [
        b"GET /0/ServiceModel/ProcessEngineService.svc/P/Execute HTTP/1.1"
    ] * 3


def test_name_and_password_are_decoded_and_sent_to_the_proxy_alone() -> None:
    with proxy() as peer:
        perform(peer.port, named="ann%40corp:hunter2%2F%3A@")
    (head,) = peer.heads
    given = head.partition(b"Proxy-Authorization: Basic ")[2].partition(b"\r\n")[0]
    assert b64decode(given) == b"ann@corp:hunter2/:"
    assert b"Proxy" not in b"".join(peer.calls)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy makes no tunnel (CONNECT) to crm.example: 403 Forbidden"),
        (b"HTTP/1.0 502\r\nContent-Length: 3\r\n\r\nabc", "the proxy did not reach crm.example: 502"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "the proxy does not answer as a proxy: its answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "the proxy does not answer as a proxy: its answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000, "the proxy does not answer as a proxy: its answer has no end"),
        (
            lambda line: line.shutdown(socket.SHUT_RDWR),
            "the proxy does not answer as a proxy: its answer ends too early",
        ),
    ],
    ids=["403", "502", "ssh", "more behind the head", "no end", "closed"],
)
def test_what_a_proxy_answers_in_place_of_yes_means_that_nothing_was_sent(act: Act, said: str) -> None:
    with proxy(act) as peer:
        ending = failed(perform(peer.port))
    assert ending.trouble.message == said
    assert not ending.final
    assert peer.calls == []


@pytest.mark.parametrize(
    ("named", "said", "hint"),
    [
        ("", "the proxy wants a name and a password", "sent as Basic, not NTLM"),
        (
            "ann:hunter2@",
            "the proxy refuses the name and the password that it was given",
            "Basic, not NTLM; nothing is tried",
        ),
    ],
)
def test_a_proxy_that_wants_another_password_is_asked_once(named: str, said: str, hint: str) -> None:
    with proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n") as peer:
        ending = failed(perform(peer.port, named=named, calls=3))
    assert ending.trouble.message == said
    assert hint in (ending.trouble.hint or "")
    assert (ending.final, ending.status) == (True, 407)
    assert len(peer.heads) == 1


def test_a_proxy_that_does_not_answer_is_not_waited_for_beyond_the_calls_time() -> None:
    over = threading.Event()
    with proxy(lambda _: over.wait(300)) as peer:
        ending = failed(perform(peer.port, seconds=0.2))
    over.set()
    assert ending.trouble.message == "the proxy does not answer"


def test_a_proxy_that_drips_is_not_waited_for_either() -> None:
    def drip(line: socket.socket) -> None:
        for _ in range(3_000):
            line.sendall(b"H")
            threading.Event().wait(0.02)

    begun = time.monotonic()
    with proxy(drip) as peer:
        assert failed(perform(peer.port, seconds=0.2)).trouble.message == "the proxy does not answer"
    assert time.monotonic() - begun < 30


def test_a_proxy_where_nobody_listens_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ending = failed(perform(port))
    assert ending.trouble.message == "the proxy refuses connections"
    assert "check `proxy`" in (ending.trouble.hint or "")


def test_a_proxy_whose_host_is_not_known_is_reported() -> None:
    client = Client(Site(url="http://crm.example", proxy="http://nobody.invalid:3128"))
    assert failed(client.perform(CALL, 5)).trouble.message.startswith("the host of the proxy is not known: ")


def test_what_breaks_on_the_way_to_the_proxy_is_reported_without_its_address() -> None:
    broken = ProxyError(cause=ConnectionResetError(errno.ECONNRESET, "x"))
    assert no_connection(broken, "crm.example").trouble.message.startswith("no connection to the proxy: ")


def test_a_call_that_broke_in_the_tunnel_is_unanswered() -> None:
    def close_after_the_call(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        line.recv(65536)
        line.shutdown(socket.SHUT_RDWR)

    with proxy(close_after_the_call) as peer:
        ending = perform(peer.port)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.UNANSWERED, "E306")


def test_a_certificate_that_does_not_fit_is_the_sites_and_not_the_proxys() -> None:
    with proxy() as peer:
        ending = perform(peer.port, url="https://crm.example")
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.NOT_SENT, "E302")
    assert "crm.example" in ending.trouble.message
    assert peer.heads[0].startswith(b"CONNECT crm.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("http://proxy", "proxy", 80), ("http://PROXY:3128/", "proxy", 3128), ("http://[::1]:8080", "::1", 8080)],
)
def test_a_proxy_is_read_from_its_address(url: str, host: str, port: int) -> None:
    found = proxy_of(url)
    assert (found.host, found.port, found.authorization) == (host, port, None)
    assert "Basic" not in repr(proxy_of("http://ann:hunter2@proxy"))
