"""Sends the traces of a command to the OpenTelemetry collector that the environment names. It changes no exit code.

Headers are secrets: they are in no message, and not sent where a redirect leads.
"""

import json
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from runner.foundation import threads
from runner.foundation.problems import UsageError
from runner.reading.files import read_text
from runner.reports import otlp
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean

_SECONDS: Final = 5.0
"""Of a request, from the look-up of the name to the end of the answer, where the environment says nothing else."""
_MOST_SECONDS: Final = 20.0  # of all requests of a command
_MOST_OF_ANSWER: Final = 65_536
_HTTP: Final = frozenset({"http", "https"})


def send(
    command: ReportedCommand, environ: Mapping[str, str] = os.environ, *, most_seconds: float = _MOST_SECONDS
) -> str:
    """Send the traces; a warning where a request fails, else empty."""
    all_signals = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip().rstrip("/")
    url = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip() or f"{all_signals}/v1/traces"
    place = _shown(url)
    if place is None:
        return _warning("the address of the collector is no http or https URL", sent=0, total=0)
    if "@" in urlsplit(url).netloc:
        why = "its address has a password; write that into `OTEL_EXPORTER_OTLP_HEADERS`, as `Authorization=Basic%20…`"
        return _warning(f"the collector at {place} was not asked: {why}", sent=0, total=0)
    requests = otlp.report(command, environ).splitlines()
    tls = _tls(environ)
    if isinstance(tls, str):
        return _warning(tls, sent=0, total=len(requests))
    headers, seconds = dict(_headers(environ)), _seconds(environ)
    ends = time.monotonic() + most_seconds
    for count, request in enumerate(requests):
        left = ends - time.monotonic()
        flaw = f"{most_seconds:g} s were not enough for all of them"
        if left > 0:
            flaw = deliver(url, request.encode(), headers, seconds=min(seconds, left), tls=tls)
        if flaw:
            if _setting(environ, "PROTOCOL").value == "grpc":
                flaw += "; traces are sent as JSON over HTTP, not by gRPC: name that port, mostly 4318"
            message = f"the collector at {place} did not take the traces: {flaw}"
            return _warning(message, sent=count, total=len(requests))
    return ""


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext | str | None:
    """What TLS trusts, and the program's own certificate, by variables; or why a file cannot be used."""
    trusted = _setting(environ, "CERTIFICATE")
    own = [_setting(environ, "CLIENT_CERTIFICATE"), _setting(environ, "CLIENT_KEY")]  # the first may hold the key, too
    if not (trusted.value or own[0].value):
        return None
    what, files = "the certificates", [trusted]
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if trusted.value:
            context.load_verify_locations(cadata=read_text(trusted.value))
        else:
            context.load_default_certs()
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it may be the collector's own certificate
        if own[0].value:
            what, files = "the client certificate", [each for each in own if each.value]
            for each in files:
                read_text(each.value)  # what is no regular file would be waited for
            context.load_cert_chain(own[0].value, own[1].value or None, password="")  # nobody can be asked for it
    except (OSError, ValueError) as error:
        return _unusable(what, files, error)
    return context


class _Setting(NamedTuple):
    variable: str
    value: str


def _setting(environ: Mapping[str, str], what: str) -> _Setting:
    """The variable for traces goes before that for all signals. The value is empty where neither is set."""
    variables = (f"OTEL_EXPORTER_OTLP_TRACES_{what}", f"OTEL_EXPORTER_OTLP_{what}")
    found = (_Setting(variable, environ.get(variable, "").strip()) for variable in variables)
    return next((each for each in found if each.value), _Setting("", ""))


def _unusable(what: str, files: Sequence[_Setting], error: OSError | ValueError) -> str:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    variables = " and ".join(f"`{named.variable}`" for named in files)
    names = ", ".join(clean(named.value) for named in files)
    name = "name" if len(files) > 1 else "names"
    return f"{what} that {variables} {name}, {names}, cannot be used: {clean(str(why))}"


def _seconds(environ: Mapping[str, str]) -> float:
    """The time of a request; the variables give milliseconds."""
    try:
        return int(_setting(environ, "TIMEOUT").value) / 1000 or _SECONDS
    except ValueError:
        return _SECONDS


def _warning(message: str, *, sent: int, total: int) -> str:
    left = f"; {total - sent} of {total} requests were not taken" if total > 1 else ""
    return f"warning: {message}{left}; `runner report RUN --report-otlp FILE` writes them to a file"


def _shown(url: str) -> str | None:
    """The address without a password, or None for no address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in _HTTP or not parts.hostname:
        return None
    return clean(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl())


def _headers(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`name=value` pairs with commas between them, their values percent-encoded."""
    yield "Content-Type", "application/json"
    for pair in _setting(environ, "HEADERS").value.split(","):
        name, sign, value = pair.partition("=")
        if sign and name.strip():
            yield name.strip(), unquote(value.strip())


def deliver(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float = _SECONDS,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Send `body`, and give why the collector did not take it, if so. It has a thread: a look-up has no limit."""
    answers: list[str] = []
    ended = threading.Event()

    def work() -> None:
        request = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310  http or https, by `send`
        answers.append(_posted(request, seconds, tls))
        ended.set()

    try:
        threads.start(work, name="traces")
    except UsageError:
        return "no thread can be started"
    ended.wait(seconds)
    return answers[0] if answers else f"it did not answer within {round(seconds, 1):g} s"


def _posted(request: urllib.request.Request, seconds: float, tls: ssl.SSLContext | None) -> str:
    try:
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=tls))
        with opener.open(request, timeout=seconds + 1) as answer:  # `deliver` has given it up by then
            return _refused(answer.read(_MOST_OF_ANSWER))
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered HTTP {error.code}"
    except urllib.error.URLError as error:
        reason = error.reason
        why = f": {reason.strerror or type(reason).__name__}" if isinstance(reason, OSError) else ""
        return f"no connection{why}"
    except (OSError, ValueError) as error:  # the text of a ValueError may hold a header
        return f"the request failed ({type(error).__name__})"
    except Exception as error:  # noqa: BLE001  of http.client, whose texts may hold a header, too
        return f"no HTTP came back ({type(error).__name__})"


def _refused(answer: bytes) -> str:
    """A collector may take a part of a request only, and says so in a 200."""
    try:
        rejected = int(json.loads(answer)["partialSuccess"]["rejectedSpans"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f"it refused {rejected} spans" if rejected else ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """No other address gets the headers."""
