import contextlib
import socket
import time

import httpcore
import pytest

from runner.service.sockets import Address, DeadlineStream, SocketBackend


def pair() -> tuple[DeadlineStream, socket.socket]:
    ours, theirs = socket.socketpair()
    return DeadlineStream(ours, time.monotonic), theirs


def soon() -> float:
    return time.monotonic() + 5


def test_a_first_write_that_fails_at_once_is_no_connection_since_nothing_has_left() -> None:
    stream, theirs = pair()
    theirs.close()
    with pytest.raises(httpcore.ConnectError):
        stream.write(b"GET /", soon())
    stream.close()


def test_a_later_write_that_fails_is_a_write_that_broke() -> None:
    stream, theirs = pair()
    stream.write(b"GET /", soon())
    theirs.close()
    with pytest.raises(httpcore.WriteError):
        stream.write(b"body", soon())
    stream.close()


def test_after_an_answer_the_next_request_begins_anew() -> None:
    stream, theirs = pair()
    stream.write(b"GET /", soon())
    theirs.send(b"answer")
    assert stream.read(100, soon()) == b"answer"
    theirs.close()
    with pytest.raises(httpcore.ConnectError):
        stream.write(b"GET /", soon())
    stream.close()


def test_a_deadline_that_has_passed_reads_and_writes_nothing() -> None:
    stream, theirs = pair()
    theirs.send(b"answer")
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(100, time.monotonic())
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(b"GET /", time.monotonic())
    stream.close()
    theirs.close()


def test_a_line_on_which_something_came_is_seen() -> None:
    stream, theirs = pair()
    assert stream.get_extra_info("is_readable") is False
    theirs.send(b"x")
    assert stream.get_extra_info("is_readable") is True
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
        stream = SocketBackend(time.monotonic, look_up=lambda _host, _port: ways).connect_tcp("x", 80, begun + 0.4)
        assert 0.15 < time.monotonic() - begun < 0.35
        stream.close()


def test_a_host_without_any_address_is_no_connection() -> None:
    with pytest.raises(httpcore.ConnectError):
        SocketBackend(time.monotonic, look_up=lambda _host, _port: []).connect_tcp("x", 80, soon())


def test_a_name_that_no_host_can_have_is_no_connection() -> None:
    with pytest.raises(httpcore.ConnectError) as raised:
        SocketBackend(time.monotonic).connect_tcp("x" * 70 + ".example", 80, soon())
    assert isinstance(raised.value.args[0], UnicodeError | OSError)
