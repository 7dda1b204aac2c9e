import contextlib
import socket
import threading
import time

import pytest

from runner.service.connecting import Address, Connector
from runner.service.connection import NotConnectedError, SocketStream


def pair() -> tuple[SocketStream, socket.socket]:
    ours, theirs = socket.socketpair()
    return SocketStream(ours, time.monotonic), theirs


def soon() -> float:
    return time.monotonic() + 300


def test_a_first_write_that_fails_at_once_is_no_connection_since_nothing_has_left() -> None:
    stream, theirs = pair()
    theirs.close()
    with pytest.raises(NotConnectedError):
        stream.write(b"GET /", soon())
    stream.close()


def test_a_later_write_that_fails_is_a_write_that_broke() -> None:
    stream, theirs = pair()
    stream.write(b"GET /", soon())
    theirs.close()
    with pytest.raises(ConnectionError):
        stream.write(b"body", soon())
    stream.close()


def test_after_an_answer_the_next_request_begins_anew() -> None:
    stream, theirs = pair()
    stream.write(b"GET /", soon())
    theirs.send(b"answer")
    assert stream.read(soon()) == b"answer"
    theirs.close()
    with pytest.raises(NotConnectedError):
        stream.write(b"GET /", soon())
    stream.close()


def test_a_deadline_that_has_passed_reads_and_writes_nothing() -> None:
    stream, theirs = pair()
    theirs.send(b"answer")
    with pytest.raises(TimeoutError):
        stream.read(time.monotonic())
    with pytest.raises(TimeoutError):
        stream.write(b"GET /", time.monotonic())
    stream.close()
    theirs.close()


def test_a_line_on_which_something_came_is_seen() -> None:
    stream, theirs = pair()
    assert stream.has_come() is False
    theirs.send(b"x")
    assert stream.has_come() is True
    stream.close()
    theirs.close()


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="Windows refuses where others keep waiting")
def test_an_address_that_leads_nowhere_takes_only_its_share_of_the_time() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_server(("127.0.0.1", 0)) as listening,
        contextlib.ExitStack() as waiting,
    ):
        for _ in range(4):
            line = waiting.enter_context(socket.socket())
            line.settimeout(0)
            line.connect_ex(full.getsockname())
        ways: list[Address] = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", place)
            for place in (full.getsockname(), listening.getsockname())
        ]
        begun = time.monotonic()
        stream = Connector(time.monotonic, look_up=lambda _host, _port: ways).connect("x", 80, begun + 2)
        assert time.monotonic() - begun > 0.75
        stream.close()


def test_the_address_that_was_reached_last_is_tried_first() -> None:
    with socket.socket() as first, socket.create_server(("127.0.0.1", 0)) as second:
        first.bind(("127.0.0.1", 0))
        ways: list[Address] = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in (first.getsockname(), second.getsockname())
        ]
        connector = Connector(time.monotonic, look_up=lambda _host, _port: ways)
        connector.connect("x", 80, soon()).close()
        first.listen()
        connector.connect("x", 80, soon()).close()
        first.settimeout(0)
        with pytest.raises(BlockingIOError):
            first.accept()


def test_a_look_up_that_does_not_end_is_bounded_by_the_deadline() -> None:
    over = threading.Event()

    def look_up(_host: str, _port: int) -> list[Address]:
        over.wait(20)
        return []

    with pytest.raises(NotConnectedError):
        Connector(time.monotonic, look_up=look_up).connect("x", 80, time.monotonic() + 0.05)
    over.set()


def test_an_address_is_not_looked_up() -> None:
    def look_up(_host: str, _port: int) -> list[Address]:
        raise AssertionError

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Connector(time.monotonic, look_up=look_up).connect("127.0.0.1", listening.getsockname()[1], soon()).close()


def test_a_host_without_any_address_is_no_connection() -> None:
    with pytest.raises(NotConnectedError):
        Connector(time.monotonic, look_up=lambda _host, _port: []).connect("x", 80, soon())


def test_a_name_that_no_host_can_have_is_no_connection() -> None:
    with pytest.raises(NotConnectedError) as raised:
        Connector(time.monotonic).connect("x" * 70 + ".example", 80, soon())
    assert isinstance(raised.value.__cause__, UnicodeError | OSError)
