import errno
import os
import socket
import ssl
import subprocess
import sys

import pytest

from runner.service import bodies, outages
from runner.service.calls import FailureKind
from runner.service.libraries import h11


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "E301",
            "the host of x:1 is not known: Name or",
        ),
        (UnicodeError("label too long"), "E301", "the host of x:1 is not known: label too long"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "E301", "x:1 refuses connections"),
        (OSError(errno.EHOSTUNREACH, "x"), "E301", f"there is no way to x:1: {os.strerror(errno.EHOSTUNREACH)}"),
        (OSError(errno.ENETUNREACH, "x"), "E301", f"there is no way to x:1: {os.strerror(errno.ENETUNREACH)}"),
        (OSError(errno.EMFILE, "x"), "E301", f"no connection to x:1: {os.strerror(errno.EMFILE)}"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "E301", f"no connection to x:1: {os.strerror(errno.ECONNRESET)}"),
        (ValueError("odd host"), "E301", "no connection to x:1: odd host"),
        (None, "E301", "no connection to x:1: the system does not say why"),
        (ssl.SSLEOFError(8, "EOF occurred"), "E302", "x:1 broke off the TLS handshake"),
        (
            TimeoutError("_ssl.c:989: The handshake operation timed out"),
            "E302",
            "x:1 does not answer the TLS handshake",
        ),
        (ssl.SSLError(1, "odd"), "E302", "no TLS connection to x:1: "),
    ],
)
def test_each_way_of_not_connecting_has_its_sentence(error: BaseException | None, code: str, said: str) -> None:
    failure = outages.no_connection(error, "x:1")
    assert (failure.kind, failure.trouble.code) == (FailureKind.NOT_SENT, code)
    assert failure.trouble.message.startswith(said)
    assert failure.trouble.hint


def test_what_is_no_http_is_shown_without_its_bytes() -> None:
    why = "illegal status line: bytearray(b'SSH-2.0 it\\'s me')"
    message = outages.no_answer(h11.RemoteProtocolError(why), "x:1", 5).trouble.message
    assert message == "the answer of x:1 makes no sense: it is no HTTP: illegal status line"


def test_a_connection_that_tls_broke_is_reported_in_the_words_of_tls() -> None:
    error = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed")
    message = outages.no_answer(error, "x:1", 5).trouble.message
    assert "DECRYPTION_FAILED" in message
    assert os.strerror(1) not in message


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", "x:1 speaks no TLS 1.2 or newer"),
        ("TLSV1_UNRECOGNIZED_NAME", "x:1 has no site of this name"),
    ],
)
def test_what_openssl_says_of_a_gateway_is_said_in_words(reason: str, said: str) -> None:
    error = ssl.SSLError(1, "x")
    error.reason = reason
    assert outages.no_connection(error, "x:1").trouble.message == said


def test_a_variable_that_other_programs_find_a_proxy_by_is_named_as_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, is_named in (("NO_PROXY", False), ("HTTPS_PROXY", True)):
        monkeypatch.setenv(name, "http://proxy.example:3128")
        hint = outages.no_connection(ConnectionRefusedError(), "x:1").trouble.hint or ""
        assert ("`HTTPS_PROXY` is set, and is not read" in hint) is is_named
        assert "proxy.example" not in hint


def test_an_answer_that_is_too_large_may_be_that_of_a_query() -> None:
    assert "`select`" in (outages.no_answer(bodies.TooLargeError(), "x:1", 5).trouble.hint or "")


@pytest.mark.slow
def test_importing_the_client_leaves_the_command_line_of_httpx_out_and_unharmed() -> None:
    program = (
        "import sys, runner.service.client\n"
        "assert not {'rich', 'click', 'pygments'} & set(sys.modules), 'the command line came along'\n"
        "import httpx._main\n"
        "assert callable(httpx._main.main)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
