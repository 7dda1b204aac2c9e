"""TLS that is trusted, and each way in which it is not. The certificates are made up, and last a century."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.service.calls import Answered, CallFailed, Ending, ExecuteCall, FailureKind
from runner.service.client import Client
from runner.service.transport import SocketTransport
from runner.service.wire import Site

CERTIFICATES = Path(__file__).parent / "certificates"
CALL = ExecuteCall(process="P", parameters={})
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n42"


@contextlib.contextmanager
def server(certificate: str | None) -> Iterator[str]:
    """Answers one call behind `certificate`; greets in plain text without one, and closes with an empty one."""
    listening = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")

    def serve() -> None:
        with contextlib.suppress(OSError), listening.accept()[0] as line:
            if not certificate:
                line.sendall(b"" if certificate == "" else b"220 mail.example ESMTP\r\n")
                line.recv(65536)
                return
            with context.wrap_socket(line, server_side=True) as secure:
                while secure.recv(65536):
                    secure.sendall(REPLY)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    thread.join(2)


def perform(place: str, *, trusting: str | None = "authority", calls: int = 1) -> Ending:
    tls = ssl.create_default_context(cafile=None if trusting is None else CERTIFICATES / f"{trusting}.pem")
    client = Client(Site(url=f"https://{place}"), transport=SocketTransport(tls=tls))
    with contextlib.closing(client):
        return [client.perform(CALL, 5) for _ in range(calls)][-1]


def test_a_trusted_site_is_answered_over_one_connection() -> None:
    with server("trusted") as place:
        assert perform(place, calls=3) == Answered(value=42)


@pytest.mark.parametrize(
    ("certificate", "trusting", "said"),
    [
        ("expired", "authority", "the TLS certificate of {} has expired"),
        ("not-yet-valid", "authority", "the TLS certificate of {} is not valid yet"),
        ("other-name", "authority", "the TLS certificate of {} belongs to another address"),
        ("trusted", None, "the TLS certificate of {} is signed by an authority that is not known here"),
        ("self-signed", None, "the TLS certificate of {} is signed by itself, by no authority that is known here"),
        (None, "authority", "{} does not speak TLS"),
        ("", "authority", "{} broke off the TLS handshake"),
    ],
)
def test_a_site_that_is_not_trusted_is_sent_nothing(certificate: str | None, trusting: str | None, said: str) -> None:
    with server(certificate) as place:
        ending = perform(place, trusting=trusting)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.NOT_SENT, "E302")
    assert ending.trouble.message == said.format(place)


def test_a_host_of_another_name_is_told_from_another_address() -> None:
    with server("other-name") as place:
        ending = perform(place.replace("127.0.0.1", "localhost"))
    assert isinstance(ending, CallFailed)
    assert ending.trouble.message.endswith("belongs to another name")


def test_a_client_of_an_https_site_trusts_known_authorities_only() -> None:
    with server("trusted") as place, contextlib.closing(Client(Site(url=f"https://{place}"))) as client:
        ending = client.perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert ending.trouble.code == "E302"


def test_a_handshake_without_an_end_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        client = Client(Site(url=f"https://{place}"), transport=SocketTransport(tls=ssl.create_default_context()))
        ending = client.perform(CALL, 0.2)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.NOT_SENT, "E301")
    assert ending.trouble.message == f"no connection to {place} within 200 ms"
