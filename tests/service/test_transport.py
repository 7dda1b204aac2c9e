"""The client against a server of plain sockets that is slow, cut off, packed, or speaks no HTTP at all."""

import contextlib
import socket
import ssl
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from bounded import bounded
from examples import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import Answer, site, xml

from runner.foundation.values import Json
from runner.service.calls import Answered, CallFailed, Ending, ExecuteCall, FailureKind
from runner.service.client import Client
from runner.service.connecting import Connections, Connector
from runner.service.connection import SocketStream
from runner.service.gate import OpenGate
from runner.service.site import Site

pytestmark = pytest.mark.slow

Act: TypeAlias = bytes | Callable[[socket.socket], None]
NOT_SENT, REFUSED, UNANSWERED = FailureKind.NOT_SENT, FailureKind.REFUSED, FailureKind.UNANSWERED


class Peer:
    """Does one act for each request, bytes to send or a function of the socket, and closes after the last."""

    def __init__(self, acts: list[Act]) -> None:
        self.acts = acts
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that a large request has to wait
        self.place = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while self.acts:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            with line:
                self.converse(line)
            self.closed += 1

    def converse(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            while self.acts and line.fileno() >= 0 and (request := line.recv(65536)):
                self.requests.append(request)
                act = self.acts.pop(0)
                line.sendall(act) if isinstance(act, bytes) else act(line)

    def close(self) -> None:
        self.acts.clear()
        self.listening.close()


Serve: TypeAlias = Callable[..., Peer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    peers: list[Peer] = []

    def start(*acts: Act) -> Peer:
        peers.append(Peer(list(acts)))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


class SinceTheRequest:
    """A clock that stands still until the peer has got a request: a busy machine takes its time until then."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.shown = self.read = time.monotonic()

    def __call__(self) -> float:
        now = time.monotonic()
        if self.peer.requests:
            self.shown += now - self.read
        self.read = now
        return self.shown


def client_of(peer: Peer, *, clock: Callable[[], float] = time.monotonic) -> Client:
    return Client(Site(url=f"http://{peer.place}"), clock=clock)


def perform(peer: Peer, *, seconds: float = 60, parameters: dict[str, Json] | None = None) -> Ending:
    """Only a hang takes 60 s; shorter ones are the subject of a test."""
    client = client_of(peer, clock=SinceTheRequest(peer))
    ending = client.perform(ExecuteCall(process="UsrSlow", parameters=parameters or {}, result="Value"), seconds)
    client.close()
    return ending


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(header.startswith("Transfer-Encoding") for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def failed(ending: Ending) -> tuple[FailureKind, str, str]:
    assert isinstance(ending, CallFailed)
    return ending.kind, ending.trouble.code, ending.trouble.message


def dripping(data: bytes, pause: float) -> Callable[[socket.socket], None]:
    def drip(line: socket.socket) -> None:
        for byte in data:
            line.send(bytes([byte]))
            time.sleep(pause)

    return drip


def closing(data: bytes) -> Callable[[socket.socket], None]:
    def send_and_close(line: socket.socket) -> None:
        line.sendall(data)
        line.close()

    return send_and_close


def reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


CALL = ExecuteCall(process="P", parameters={})
WRAPPED = b"<string>[1,2]</string>"
CHUNKED = "Transfer-Encoding: chunked"
PACKED = zlib.compress(WRAPPED, wbits=zlib.MAX_WBITS | 16)
BOMB = zlib.compress(bytes(40 * 1024 * 1024), 1, wbits=zlib.MAX_WBITS | 16)


@pytest.mark.parametrize(
    "reply",
    [
        http(WRAPPED),
        http(b"5\r\n<stri\r\n6;name=x\r\nng>[1,\r\nb\r\n2]</string>\r\n0\r\nTrailer: x\r\n\r\n", CHUNKED),
        http(PACKED, "Content-Encoding: gzip"),
        http(zlib.compress(WRAPPED), "Content-Encoding: deflate"),
        http(zlib.compress(WRAPPED, wbits=-15), "Content-Encoding: deflate"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + http(WRAPPED),
        http(b"\xef\xbb\xbf" + WRAPPED),
        http(WRAPPED, "Content-Encoding: UTF-8"),
    ],
    ids=["whole", "chunked", "gzip", "deflate", "bare deflate", "after 100 and 103", "with a mark", "its charset"],
)
def test_an_answer_is_read_however_it_is_packed(serve: Serve, reply: bytes) -> None:
    assert perform(serve(reply)) == Answered(value=[1, 2])


def test_an_answer_without_a_length_ends_with_its_connection(serve: Serve) -> None:
    assert perform(serve(b"HTTP/1.0 200 OK\r\n\r\n" + WRAPPED)) == Answered(value=[1, 2])


@pytest.mark.parametrize(
    ("act", "code", "said"),
    [
        (b"", "E306", "the connection to {} broke before the answer was whole"),
        (http(WRAPPED)[:20], "E306", "the connection to {} broke before the answer was whole"),
        (http(WRAPPED)[:-4], "E306", "the connection to {} broke before the answer was whole"),
        (http(b"16\r\n<string>", CHUNKED), "E306", "the connection to {} broke before the answer was whole"),
        (reset, "E306", "the connection to {} broke before the answer was whole: Connection reset by peer"),
        (
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
            "E307",
            "the answer of {} makes no sense: it is no HTTP: illegal status line",
        ),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000, "E307", "the answer of {} makes no sense: it is no HTTP: Receive"),
        (http(b"zz\r\n", CHUNKED), "E307", "the answer of {} makes no sense: it is no HTTP: illegal chunk header"),
        (http(b'{"Id": "1f0', "X: y"), "E307", "the answer of {} makes no sense: it is no JSON: Unterminated string"),
        (http(b'<string>"[{\\"Id'), "E307", "the answer of {} makes no sense: it is no whole XML: no element found"),
        (
            http(PACKED[:-9], "Content-Encoding: gzip"),
            "E307",
            "the answer of {} makes no sense: its gzip ends too early",
        ),
        (
            http(b"junk", "Content-Encoding: gzip"),
            "E307",
            "the answer of {} makes no sense: it cannot be unpacked: Error",
        ),
        (http(b"junk", "Content-Encoding: br"), "E307", "the answer of {} makes no sense: it is packed as `br`, which"),
        (http(BOMB, "Content-Encoding: gzip"), "E308", "the answer of {} is larger than 32 MiB"),
        (http(b"<h1>Bad Gateway</h1>", status="502 Bad Gateway"), "E309", "{} answered 502 Bad Gateway"),
        (http(b"<html>", status="504 Gateway Timeout"), "E309", "{} answered 504 Gateway Timeout"),
        (
            http(b"<html><title>Home</title>"),
            "E307",
            "the answer of {} makes no sense: it is a web page with the title",
        ),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_call_without_a_whole_answer_is_unanswered(serve: Serve, act: Act, code: str, said: str) -> None:
    peer = serve(act)
    kind, found, message = failed(perform(peer))
    assert (kind, found) == (UNANSWERED, code)
    assert message.startswith(said.format(peer.place))


def test_no_content_is_no_value(serve: Serve) -> None:
    assert perform(serve(b"HTTP/1.1 204 No Content\r\n\r\n")) == Answered(value=None)


def test_an_answer_that_never_ends_is_cut(serve: Serve) -> None:
    def pour(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(40):
            line.sendall(b" " * 1024 * 1024)

    peer = serve(pour)
    assert failed(perform(peer)) == (UNANSWERED, "E308", f"the answer of {peer.place} is larger than 32 MiB")


def process(line: socket.socket) -> None:
    for _ in range(40):
        line.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "act",
    [
        dripping(http(WRAPPED), 0.02),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 50, 0.005),
        lambda line: line.recv(1),
        process,
    ],
    ids=["head drips", "chunks drip", "silent", "always processing"],
)
def test_the_deadline_holds_for_all_reads_together(serve: Serve, act: Act) -> None:
    peer = serve(act)
    begun = time.monotonic()
    assert failed(perform(peer, seconds=0.25)) == (UNANSWERED, "E305", f"{peer.place} did not answer within 250 ms")
    assert time.monotonic() - begun > 0.2


def test_the_deadline_holds_for_a_server_that_does_not_read(serve: Serve) -> None:
    over = threading.Event()
    peer = serve(lambda _: over.wait(60))
    begun = time.monotonic()
    assert failed(perform(peer, seconds=2, parameters={"Text": "x" * 8_000_000}))[:2] == (UNANSWERED, "E305")
    assert 1.9 < time.monotonic() - begun < 60
    over.set()


def test_a_write_that_breaks_half_way_is_unanswered(serve: Serve) -> None:
    peer = serve(reset)
    ending = perform(peer, parameters={"Text": "x" * 8_000_000})
    assert failed(ending)[:2] == (UNANSWERED, "E306")


def test_an_answer_that_comes_before_all_is_written_counts(serve: Serve) -> None:
    def answer(line: socket.socket) -> None:
        line.sendall(http(b"", "Connection: close", status="414 URI Too Long"))
        line.shutdown(socket.SHUT_WR)
        while line.recv(1 << 20):
            pass

    peer = serve(answer)
    ending = perform(peer, parameters={"Text": "x" * 8_000_000})
    assert failed(ending)[:2] == (REFUSED, "E205")


def test_nobody_who_listens_means_that_nothing_was_sent(serve: Serve) -> None:
    peer = serve()
    peer.close()
    assert failed(perform(peer)) == (NOT_SENT, "E301", f"{peer.place} refuses connections")


def test_a_host_that_is_not_known_means_that_nothing_was_sent() -> None:
    ending = Client(Site(url="http://nobody.invalid")).perform(CALL, 5)
    kind, code, message = failed(ending)
    assert (kind, code) == (NOT_SENT, "E301")
    assert message.startswith("the host of nobody.invalid is not known: ")


def test_every_address_of_a_host_is_tried(serve: Serve) -> None:
    peer = serve(http(WRAPPED))
    site = Site(url=f"http://localhost:{peer.place.partition(':')[2]}")  # `::1` comes first on many machines
    with contextlib.closing(Client(site)) as client:
        assert client.perform(CALL, 60) == Answered(value=[1, 2])


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="Windows refuses where others keep waiting")
def test_a_connection_that_does_not_come_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for line in waiting:
            line.settimeout(0)
            line.connect_ex(place)
        ending = Client(Site(url=f"http://127.0.0.1:{place[1]}")).perform(CALL, 0.2)
        for line in waiting:
            line.close()
    assert failed(ending) == (NOT_SENT, "E301", f"no connection to 127.0.0.1:{place[1]} within 200 ms")


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://example.com", "http:///x", "http://[::1", "http://127.0.0.1:99999"]
)
def test_an_address_of_no_site_is_reported_before_anything_is_sent(url: str) -> None:
    ending = Client(Site(url=url)).perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.final) == (NOT_SENT, True)
    assert ending.trouble.message.endswith("cannot be written: `url` is no address of a site")


def test_connections_are_kept_and_a_closed_one_is_replaced(serve: Serve) -> None:
    peer = serve(http(WRAPPED), http(WRAPPED), closing(http(WRAPPED)), http(WRAPPED))
    client = client_of(peer, clock=lambda: 0.0)
    for expected, closed in ((1, 0), (1, 0), (1, 1), (2, 1)):
        assert client.perform(CALL, 60) == Answered(value=[1, 2])
        assert peer.connections == expected
        while peer.closed < closed:
            time.sleep(0.001)
    client.close()


def breaking(line: socket.socket) -> None:
    line.close()


@pytest.mark.parametrize("last", [closing(http(WRAPPED)), breaking], ids=["after an answer", "with a call on it"])
def test_no_connection_rests_to_a_server_that_closes_them_without_a_word(serve: Serve, last: Act) -> None:
    """It may close each after its answer, and a call that meets the end on its way looks unanswered."""
    now = [0.0]
    peer = serve(http(WRAPPED), last, *[http(WRAPPED)] * 9)
    client = client_of(peer, clock=lambda: now[0])
    endings = []
    for now[0], closed in ((0.0, 0), (0.0, 1), (0.0, 2), (0.0, 3), (3000.0, 4), (3601.0, 4), (3601.0, 4)):
        endings.append(client.perform(CALL, 60))
        while peer.closed < closed:
            time.sleep(0.001)
    client.close()
    assert [isinstance(each, Answered) for each in endings] == [True, last is not breaking, *[True] * 5]
    assert peer.connections == 5


def test_a_connection_that_has_rested_for_long_is_not_used_again(serve: Serve) -> None:
    """Gateways close it, some after a second, and a call that meets its end on the way looks unanswered."""
    now = [0.0]
    peer = serve(http(WRAPPED), http(WRAPPED), http(WRAPPED))
    client = client_of(peer, clock=lambda: now[0])
    seen = []
    for now[0] in (0.0, 0.4, 1.0):
        assert client.perform(CALL, 60) == Answered(value=[1, 2])
        seen.append(peer.connections)
    client.close()
    assert seen == [1, 1, 2]


def test_a_broken_answer_leaves_the_next_call_alone(serve: Serve) -> None:
    cut, noise = closing(http(WRAPPED)[:-4]), b"no HTTP at all\r\n\r\n"
    peer = serve(cut, http(WRAPPED), noise, closing(b""), http(WRAPPED))
    client = client_of(peer)
    endings = [client.perform(CALL, 60) for _ in range(5)]
    client.close()
    assert [ending.trouble.code if isinstance(ending, CallFailed) else "" for ending in endings] == [
        *("E306", "", "E307", "E306", "")
    ]


def test_an_answer_too_many_is_not_taken_for_that_of_the_next_call(serve: Serve) -> None:
    """A gateway that repeats the call hands on both answers, in one packet."""
    peer = serve(http(b"<string>1</string>") + http(b"<string>1</string>"), http(b"<string>2</string>"))
    client = client_of(peer)
    assert [client.perform(CALL, 60) for _ in range(2)] == [Answered(value=1), Answered(value=2)]
    assert peer.connections == 2
    client.close()


def test_bytes_that_come_later_on_a_connection_at_rest_are_nobodys_answer(serve: Serve) -> None:
    late, sent = threading.Event(), threading.Event()

    def answer_twice(line: socket.socket) -> None:
        line.sendall(http(b"<string>1</string>"))
        late.wait(300)
        line.sendall(http(b"<string>1</string>"))
        sent.set()

    peer = serve(answer_twice, http(b"<string>2</string>"))
    client = client_of(peer)
    assert client.perform(CALL, 60) == Answered(value=1)
    late.set()
    assert sent.wait(300)
    assert client.perform(CALL, 60) == Answered(value=2)
    client.close()


class Given(Connector):
    """Connects to nothing: its stream is there."""

    def __init__(self, stream: SocketStream) -> None:
        super().__init__(time.monotonic)
        self.stream = stream

    def connect(self, host: str, port: int, deadline: float, *, tls: ssl.SSLContext | None = None) -> SocketStream:
        del host, port, deadline, tls
        return self.stream


def test_nothing_is_sent_to_a_site_that_speaks_before_it_was_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = f"127.0.0.1:{listening.getsockname()[1]}"
        asked: list[bytes] = []

        def greet() -> None:
            with contextlib.suppress(OSError), listening.accept()[0] as line:
                line.sendall(http(b"<string>1</string>"))
                asked.append(line.recv(65536))

        greeting = threading.Thread(target=greet, daemon=True)
        greeting.start()
        connector = Connector(time.monotonic)
        stream = connector.connect("127.0.0.1", listening.getsockname()[1], time.monotonic() + 300)
        while not stream.has_come():
            time.sleep(0.001)
        transport = Connections(tls=None, connector=Given(stream))
        ending = Client(Site(url=f"http://{place}"), transport=transport).perform(CALL, 5)
        greeting.join(300)
    said = f"{place} sent something before it was asked, so that nothing was sent to it"
    assert failed(ending) == (NOT_SENT, "E313", said)
    assert not any(asked)


class Calls:
    """Holds every answer back until all of `count` calls have come."""

    def __init__(self, count: int) -> None:
        self.all_are_here = threading.Barrier(count)

    def __call__(self, _method: str, _path: str) -> Answer:
        self.all_are_here.wait(300)
        return xml(1)


def test_there_are_as_many_connections_as_calls_at_once() -> None:
    """None waits for another's: 64 answers come only when all 64 calls are there."""
    with site(Calls(64)) as here, contextlib.closing(Client(Site(url=here.url))) as client:
        endings: list[Ending] = []
        threads = [threading.Thread(target=lambda: endings.append(client.perform(CALL, 30))) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert endings == [Answered(value=1)] * 64


def test_a_connection_that_comes_to_rest_after_the_client_was_closed_is_closed(serve: Serve) -> None:
    asked, closed, ended = threading.Event(), threading.Event(), threading.Event()

    def act(line: socket.socket) -> None:
        asked.set()
        closed.wait(300)
        line.sendall(http(WRAPPED))
        if line.recv(1) == b"":
            ended.set()

    client = Client(Site(url=f"http://{serve(act).place}"))
    calling = threading.Thread(target=lambda: client.perform(CALL, 60))
    calling.start()
    assert asked.wait(300)
    client.close()
    closed.set()
    calling.join()
    assert ended.wait(300)


class Asked(OpenGate):
    """Notes what the peer had got when the call was let out, or refuses to let it out."""

    def __init__(self, peer: Peer, *, lets_out: bool) -> None:
        self.peer = peer
        self.lets_out = lets_out
        self.connections: list[int] = []

    def may_leave(self) -> bool:
        while not self.peer.connections:
            time.sleep(0.001)
        self.connections.append(len(self.peer.requests))
        return self.lets_out


@pytest.mark.parametrize("lets_out", [True, False])
def test_whether_a_call_may_leave_is_asked_when_it_is_connected_and_nothing_has_left(
    serve: Serve,
    lets_out: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    peer = serve(http(WRAPPED))
    gate = Asked(peer, lets_out=lets_out)
    client = client_of(peer)
    ending = client.perform(CALL, 5, gate=gate)
    client.close()
    assert gate.connections == [0]
    if lets_out:
        assert (ending, len(peer.requests)) == (Answered(value=[1, 2]), 1)
    else:
        assert isinstance(ending, CallFailed)
        assert (ending.kind, ending.unwanted, peer.requests) == (NOT_SENT, True, [])


class Stored(OpenGate):
    """The server closes the connection while the start of the call is stored."""

    def __init__(self, peer: Peer, close: threading.Event) -> None:
        self.peer = peer
        self.close = close
        self.asked = 0

    def may_leave(self) -> bool:
        self.asked += 1
        self.close.set()
        while not self.peer.closed:
            time.sleep(0.001)
        return True


class Timed(Connector):
    """Notes how many seconds each connection may take, on a clock that stands still."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.seconds: list[float] = []

    def connect(self, host: str, port: int, deadline: float, *, tls: ssl.SSLContext | None = None) -> SocketStream:
        self.seconds.append(deadline)
        return super().connect(host, port, deadline, tls=tls)


def test_a_connection_that_is_closed_while_a_start_is_stored_is_not_written_to(serve: Serve) -> None:
    close = threading.Event()

    def answer_and_close_later(line: socket.socket) -> None:
        line.sendall(http(b"<string>1</string>"))
        close.wait(300)
        line.close()

    peer = serve(answer_and_close_later, http(b"<string>2</string>"))
    connector = Timed()
    transport = Connections(tls=None, clock=lambda: 0.0, connector=connector)
    client = Client(Site(url=f"http://{peer.place}"), transport=transport, clock=lambda: 0.0)
    assert client.perform(CALL, 60) == Answered(value=1)
    gate = Stored(peer, close)
    assert client.perform(CALL, 60, gate=gate) == Answered(value=2)
    client.close()
    assert gate.asked == 2
    assert connector.seconds == [60.0, 1.0]
    assert len(peer.requests) == 2


@pytest.mark.slow
def test_a_large_page_is_bounded_before_anybody_looks_into_it(serve: Serve) -> None:
    page = b"<html><title>Home</title><a href='/Login/'>" + b"<" * 30_000_000
    tracemalloc.start()
    with bounded():
        assert failed(perform(serve(http(page))))[:2] == (UNANSWERED, "E307")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000_000


@pytest.mark.slow
@settings(max_examples=some(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", http(b"")[:-2], http(WRAPPED)[:-11]]))
def test_any_bytes_at_all_end_in_a_value_or_a_failure(serve: Serve, noise: bytes, start: bytes) -> None:
    peer = serve(start + noise)
    assert isinstance(perform(peer), Answered | CallFailed)
    peer.close()
