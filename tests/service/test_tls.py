"""TLS that is trusted, and each way in which it is not. The certificates are made up, and last a century."""

import contextlib
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.service.calls import Answered, CallFailed, Ending, ExecuteCall, FailureKind
from runner.service.client import Client
from runner.service.connecting import Connections, trusting
from runner.service.site import Site

CERTIFICATES = Path(__file__).parent / "certificates"
CALL = ExecuteCall(process="P", parameters={})
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<string>42</string>"


@contextlib.contextmanager
def server(certificate: str | None) -> Iterator[str]:
    """Answers calls behind `certificate`; greets in plain text without one, and closes with an empty one."""
    listening = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")

    def serve() -> None:
        with contextlib.suppress(OSError):  # nobody is listening any more
            while True:
                threading.Thread(target=answer, args=listening.accept()[:1], daemon=True).start()

    def answer(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), accepted as line:
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
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(300)


def perform(place: str, *, trusting: str | None = "authority", calls: int = 1) -> Ending:
    tls = ssl.create_default_context(cafile=None if trusting is None else CERTIFICATES / f"{trusting}.pem")
    clock = (lambda: 0.0) if calls > 1 else time.monotonic  # on a busy machine a connection would rest for too long
    client = Client(Site(url=f"https://{place}"), transport=Connections(tls=tls, clock=clock), clock=clock)
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


def test_a_host_of_another_name_is_reported() -> None:
    with server("other-name") as place:
        ending = perform(place.replace("127.0.0.1", "localhost"))
    assert isinstance(ending, CallFailed)
    assert ending.trouble.message.endswith("belongs to another name")


def test_a_client_of_an_https_site_trusts_known_authorities_only() -> None:
    with server("trusted") as place, contextlib.closing(Client(Site(url=f"https://{place}"))) as client:
        ending = client.perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert ending.trouble.code == "E302"


@pytest.mark.parametrize("certificate", ["trusted", "other-name"])
def test_an_authority_of_the_system_is_found_by_its_hash_and_no_other_is_read(
    certificate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(CERTIFICATES / "authority.pem", tmp_path / "774b5dcc.0")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setattr("certifi.where", lambda: "not there")
    with server(certificate) as place, contextlib.closing(Client(Site(url=f"https://{place}"))) as client:
        ending = client.perform(CALL, 5)
    if certificate == "trusted":
        assert ending == Answered(value=42)
    else:
        assert isinstance(ending, CallFailed)
        assert ending.trouble.message.endswith("belongs to another address")


@pytest.mark.parametrize("threads", [1, 8])
def test_a_site_that_the_system_does_not_know_is_asked_once_more_with_the_authorities_of_certifi(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(CERTIFICATES / "authority.pem"))
    with (
        server("trusted") as place,
        contextlib.closing(Client(Site(url=f"https://{place}"))) as client,
        ThreadPoolExecutor(threads) as pool,
    ):
        assert list(pool.map(lambda _: client.perform(CALL, 300), range(threads))) == [Answered(value=42)] * threads


def test_the_authorities_of_certifi_are_trusted_at_once_where_the_system_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(CERTIFICATES / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trusting(None).cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("named", ["authority", "trusted"])
def test_an_authority_that_the_target_names_is_trusted_and_need_not_be_a_root(named: str) -> None:
    pem = (CERTIFICATES / f"{named}.pem").read_text()
    authorities = pem[pem.index("-----BEGIN CERTIFICATE-----") :]
    with server("trusted") as place:
        client = Client(Site(url=f"https://{place}", authorities=authorities))
        with contextlib.closing(client):
            assert client.perform(CALL, 5) == Answered(value=42)


@pytest.mark.parametrize("certificate", ["expired", "other-name"])
def test_an_authority_that_is_named_makes_no_wrong_certificate_right(certificate: str) -> None:
    authorities = (CERTIFICATES / "authority.pem").read_text()
    with server(certificate) as place:
        client = Client(Site(url=f"https://{place}", authorities=authorities))
        with contextlib.closing(client):
            ending = client.perform(CALL, 5)
    assert isinstance(ending, CallFailed)
    assert ending.trouble.code == "E302"


def test_an_authority_that_is_not_known_is_reported_with_the_key_that_names_it() -> None:
    with server("trusted") as place:
        ending = perform(place, trusting=None)
    assert isinstance(ending, CallFailed)
    assert "`ca_file`" in (ending.trouble.hint or "")


def test_a_site_behind_a_proxy_has_its_own_tls() -> None:
    """The server is the proxy and the site at once: it greets in plain text, then speaks TLS on the same socket."""
    listening = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "trusted.pem")
    asked = []

    def serve() -> None:
        with contextlib.suppress(OSError), listening, listening.accept()[0] as line:
            asked.append(line.recv(65536))
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with context.wrap_socket(line, server_side=True) as secure:
                asked.append(secure.recv(65536))
                secure.sendall(REPLY)

    threading.Thread(target=serve, daemon=True).start()
    site = Site(
        url="https://127.0.0.1:8443",
        authorities=(CERTIFICATES / "authority.pem").read_text(),
        proxy=f"http://127.0.0.1:{listening.getsockname()[1]}",
    )
    with contextlib.closing(Client(site)) as client:
        assert client.perform(CALL, 5) == Answered(value=42)
    assert asked[0].startswith(b"CONNECT 127.0.0.1:8443 HTTP/1.1\r\n")
    assert asked[1].startswith(b"GET /0/ServiceModel/")


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_an_answer_without_a_length_is_whole_only_where_tls_says_that_it_ends(
    says_goodbye: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "trusted.pem")

    def serve() -> None:
        with (
            contextlib.suppress(OSError),
            listening,
            listening.accept()[0] as line,
            context.wrap_socket(line, server_side=True) as secure,
        ):
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\n\r\n<string>42</string>")
            if says_goodbye:
                secure.unwrap().close()

    threading.Thread(target=serve, daemon=True).start()
    place = f"127.0.0.1:{listening.getsockname()[1]}"
    ending = perform(place)
    if says_goodbye:
        assert ending == Answered(value=42)
    else:
        assert isinstance(ending, CallFailed)
        assert (ending.kind, ending.trouble.code) == (FailureKind.UNANSWERED, "E306")
        assert ending.trouble.message.endswith("broke before the answer was whole: TLS ended without its own last word")


def test_an_answer_too_many_is_not_taken_for_that_of_the_next_call_over_tls() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "trusted.pem")

    def serve() -> None:
        with listening:
            for number in (b"41", b"42"):
                with (
                    contextlib.suppress(OSError),
                    listening.accept()[0] as line,
                    context.wrap_socket(line, server_side=True) as secure,
                ):
                    secure.recv(65536)
                    secure.sendall(REPLY.replace(b"42", number) * 2)
                    secure.recv(65536)

    threading.Thread(target=serve, daemon=True).start()
    assert perform(f"127.0.0.1:{listening.getsockname()[1]}", calls=2) == Answered(value=42)


def test_a_handshake_without_an_end_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        client = Client(Site(url=f"https://{place}"), transport=Connections(tls=ssl.create_default_context()))
        ending = client.perform(CALL, 0.2)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.NOT_SENT, "E302")
    assert ending.trouble.message == f"{place} does not answer the TLS handshake"
