"""The first steps to a host, on real sockets: what is reported where each goes well, and where it does not."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from functools import partial
from pathlib import Path

import pytest

from runner.doctor import network
from runner.doctor.findings import WayVerdict
from runner.doctor.network import Host

CERTIFICATES = Path(__file__).parents[1] / "service" / "certificates"
NOW = 1_790_000_000.0
DAY = 24 * 3600


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))


@contextmanager
def server(certificate: str | None = None, *, date: str | None = None) -> Iterator[tuple[Host, list[bytes]]]:
    """Greets behind `certificate`, or in plain text, and answers every question with this date."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []
    dated = f"Date: {date}\r\n" if date else ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with (
                suppress(OSError),
                plain,
                context.wrap_socket(plain, server_side=True) if certificate else plain as line,
            ):
                asked.append(line.recv(65536))
                line.sendall(f"HTTP/1.1 302 Found\r\n{dated}Content-Length: 0\r\n\r\n".encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listening.getsockname()[1]
    yield Host(name="127.0.0.1", port=port, tls=trusting if certificate else None), asked
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(300)


def test_a_name_that_is_known_is_reported_with_its_addresses() -> None:
    found = network.resolved(Host(name="localhost", port=80, tls=None))
    assert found.verdict is WayVerdict.OK
    assert "127.0.0.1" in found.seen


@pytest.mark.parametrize("name", ["nowhere.invalid", "x" * 70 + ".example"])
def test_a_name_that_is_not_known_is_reported_with_what_to_try(name: str) -> None:
    found = network.resolved(Host(name=name, port=80, tls=None))
    assert found.verdict is WayVerdict.FAILED
    assert "is not known" in found.seen
    assert found.hint


def test_a_connection_is_reported_with_the_address_that_answered() -> None:
    with server() as (host, _):
        found = network.connected(host)
    assert found.verdict is WayVerdict.OK
    assert found.seen.startswith(f"{host.place} answers in ")


def test_a_port_where_nobody_listens_is_reported() -> None:
    with server() as (host, _):
        pass
    found = network.connected(host)
    assert (found.verdict, found.seen) == (WayVerdict.FAILED, f"{host.place} refuses connections")


def test_a_certificate_is_reported_with_its_names_issuer_and_days() -> None:
    with server("trusted") as (host, _):
        found = network.secured(host, now=lambda: NOW)
    days = int((ssl.cert_time_to_seconds("Jan  1 00:00:00 2120 GMT") - NOW) // DAY)
    assert found.verdict is WayVerdict.OK
    expected = f"a certificate for localhost, 127.0.0.1, by Authority of the tests, {days:,} days left"
    assert found.seen.startswith("TLSv1.")
    assert found.seen.endswith(expected)


def test_a_certificate_that_ends_soon_is_worth_a_word() -> None:
    ends = ssl.cert_time_to_seconds("Jan  1 00:00:00 2120 GMT")
    with server("trusted") as (host, _):
        found = network.secured(host, now=lambda: ends - 20 * DAY - 5)
    assert found.verdict is WayVerdict.UNSURE
    assert "20 days left" in found.seen


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ("expired", "has expired"),
        ("self-signed", "is signed by itself, by no authority that is known here"),
        ("other-name", "belongs to another address: elsewhere.example"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_reported_and_one_of_another_name_with_its_names(
    certificate: str, said: str
) -> None:
    with server(certificate) as (host, _):
        found = network.secured(host)
    assert found.verdict is WayVerdict.FAILED
    assert found.seen.endswith(said)
    assert found.hint


def test_a_server_that_speaks_no_tls_is_reported() -> None:
    with server() as (host, _):
        found = network.secured(Host(name=host.name, port=host.port, tls=trusting))
    assert found.verdict is WayVerdict.FAILED
    assert "TLS" in found.seen


def test_a_plain_connection_has_no_tls_to_try() -> None:
    with server() as (host, _):
        assert network.secured(host).verdict is WayVerdict.NOT_TRIED


@pytest.mark.parametrize("certificate", [None, "trusted"])
def test_clocks_that_agree_are_reported_whatever_the_reply_is(certificate: str | None) -> None:
    with server(certificate, date=formatdate(NOW, usegmt=True)) as (host, asked):
        found = network.in_time(host, "/app", now=lambda: NOW + 0.7)
    assert (found.verdict, found.seen) == (WayVerdict.OK, "server and this machine agree")
    assert asked[0].startswith(f"HEAD /app HTTP/1.1\r\nHost: {host.place}\r\n".encode())


@pytest.mark.parametrize(("ours", "said"), [(-300.0, "ahead of"), (300.0, "behind")])
def test_clocks_that_do_not_agree_are_reported_with_how_far_they_are_apart(ours: float, said: str) -> None:
    with server(date=formatdate(NOW, usegmt=True)) as (host, _):
        found = network.in_time(host, "", now=lambda: NOW + 0.5 + ours)
    assert (found.verdict, found.seen) == (WayVerdict.UNSURE, f"the server's clock is 5 min {said} this machine's")


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_reply_without_a_date_says_nothing(date: str | None) -> None:
    with server(date=date) as (host, _):
        assert network.in_time(host, "").seen == "the reply carries no date"


def test_a_server_that_answers_with_nonsense_says_nothing_of_its_clock() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=partial(_hang_up, listening), daemon=True)
    thread.start()
    host = Host(name="127.0.0.1", port=listening.getsockname()[1], tls=None)
    assert network.in_time(host, "").verdict is WayVerdict.UNSURE
    thread.join(300)


def _hang_up(listening: socket.socket) -> None:
    with listening, listening.accept()[0] as line:
        line.recv(100)
        line.sendall(b"220 mail.example ESMTP\r\n")


def test_a_site_that_is_called_without_tls_is_warned_of_unless_it_is_this_machine() -> None:
    found = network.secured(Host(name="crm.intra", port=80, tls=None))
    assert (found.verdict, found.step) == (WayVerdict.UNSURE, network.TLS)
    assert "passwords and data can be read on their way" in found.seen
    assert network.secured(Host(name="localhost", port=80, tls=None)).verdict is WayVerdict.NOT_TRIED
