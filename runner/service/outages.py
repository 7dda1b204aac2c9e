"""Calls without a reply: what broke, and whether the call had left. Exceptions in, messages out.

`place` is host and port, never a path or a query, which may hold secrets.
"""

import errno
import os
import socket
import ssl
from http import HTTPStatus
from typing import Final

from msgspec.structs import replace

from runner.foundation.durations import format_duration
from runner.runs.events import Trouble
from runner.service import bodies
from runner.service.calls import CallFailed, FailureKind
from runner.service.connecting import ProxyError
from runner.service.libraries import h11
from runner.service.words import short_line

_NETWORK: Final = "check `url` of the target, and the network, VPN or firewall between here and there"
_NOT_READ: Final = (
    f"{_NETWORK}; `HTTPS_PROXY` is set, and is not read: "
    'the target goes through it by `proxy: "{{ env.HTTPS_PROXY }}"`'
)
_AUTHORITY: Final = "put the authority's certificate into `ca_file` of the target; TLS is always verified"
_RENEW: Final = "the site needs a new certificate; TLS is always verified"
_PROXY: Final = "check `proxy` of the target, and the network between here and there"
_BASIC: Final = "; the password is sent as Basic, not NTLM"
_BEYOND: Final = "check `url` of the target, and the network between the proxy and the site"
_UNREACHED: Final = frozenset({500, 502, 503, 504})  # of a proxy that found no way to the site
_NO_TUNNEL: Final = (
    "ask those who run the proxy whether it may lead there; squid makes tunnels to port 443 alone, unless `SSL_ports` "
    "has the port"
)

_OTHER_NAME: Final = "check the host in `url` of the target; `runner doctor` shows the names on the certificate"
# Reasons of OpenSSL, X509_V_ERR_…: not yet valid, expired, name or address mismatch, authorities of four kinds.
_CERTIFICATE: Final = {
    9: ("is not valid yet", "check this machine's clock"),
    10: ("has expired", _RENEW),
    18: ("is signed by itself, by no authority that is known here", _AUTHORITY),
    19: ("is signed by an authority that is not known here", _AUTHORITY),
    20: ("is signed by an authority that is not known here", _AUTHORITY),
    21: ("is signed by an authority that is not known here", _AUTHORITY),
    62: ("belongs to another name", _OTHER_NAME),
    64: ("belongs to another address", _OTHER_NAME),
}
_NO_TLS: Final = "check `https` and the port in `url` of the target"
_NO_TLS_SPOKEN: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"}
)
_TLS_REASONS: Final = {
    "TLSV1_ALERT_PROTOCOL_VERSION": ("speaks no TLS 1.2 or newer", "ask those who run the site for TLS 1.2"),
    "UNSUPPORTED_PROTOCOL": ("speaks no TLS 1.2 or newer", "ask those who run the site for TLS 1.2"),
    "TLSV1_UNRECOGNIZED_NAME": ("has no site of this name", "check the host in `url` of the target"),
}


def no_connection(error: BaseException | None, place: str) -> CallFailed:
    """Why no connection came about."""
    match error:
        case ProxyError():
            return _no_way_through(error, place)
        case ssl.SSLCertVerificationError():
            wrong, hint = _CERTIFICATE.get(error.verify_code, (f"is not accepted: {error.verify_message}", _AUTHORITY))
            return _not_sent("E302", f"the TLS certificate of {place} {wrong}", hint)
        case ssl.SSLEOFError():
            return _not_sent("E302", f"{place} broke off the TLS handshake", _NETWORK)
        case ssl.SSLError() if _reason(error) in _NO_TLS_SPOKEN:
            return _not_sent("E302", f"{place} does not speak TLS", _NO_TLS)
        case ssl.SSLError() if found := _TLS_REASONS.get(_reason(error)):
            return _not_sent("E302", f"{place} {found[0]}", found[1])
        case TimeoutError() if is_handshake(error):
            return _not_sent("E302", f"{place} does not answer the TLS handshake", _NO_TLS)
        case ssl.SSLError():
            return _not_sent("E302", f"no TLS connection to {place}: {_reason(error)}", _NETWORK)
        case socket.gaierror() | UnicodeError():
            return _not_sent("E301", f"the host of {place} is not known: {_described(error)}", _network())
        case ConnectionRefusedError():
            return _not_sent("E301", f"{place} refuses connections", f"is the application running? {_network()}")
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return _not_sent("E301", f"there is no way to {place}: {_described(error)}", _network())
        case _:
            return _not_sent("E301", f"no connection to {place}: {_described(error)}", _network())


def is_handshake(error: BaseException | None) -> bool:
    """Whether there was a connection, and TLS on it ran out of time, by the words of Python."""
    return isinstance(error, TimeoutError) and "handshake" in str(error)


def no_connection_in_time(place: str, seconds: float) -> CallFailed:
    return _not_sent("E301", f"no connection to {place} within {format_duration(seconds)}", _network())


def _network() -> str:
    """What to check, with the variable that other programs find a proxy by."""
    return _NOT_READ if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") else _NETWORK


def not_wanted(place: str) -> CallFailed:
    """The run was stopped while the call was made ready, by a sign-in or while it waited."""
    trouble = Trouble(code="E312", message=f"{place} was not called: the run was stopped before")
    return CallFailed(kind=FailureKind.NOT_SENT, trouble=trouble, final=True, unwanted=True)


def no_time_left(place: str, seconds: float) -> CallFailed:
    message = f"the {format_duration(seconds)} of the call were over before it was sent to {place}"
    return _not_sent("E305", message, "raise `timeout`")


def spoke_first(place: str) -> CallFailed:
    """Bytes on a connection on which nothing had been asked: they could be taken for the answer to a call."""
    message = f"{place} sent something before it was asked, so that nothing was sent to it"
    return _not_sent("E313", message, "check the port in `url` of the target, and the gateway before the site")


def not_written(
    place: str, why: str, *, hint: str = "check `url` of the target, and the length of parameters"
) -> CallFailed:
    """The call cannot be put into HTTP, now or ever."""
    message = f"the call to {place} cannot be written: {short_line(why)}"
    return _for_good(Trouble(code="E301", message=message, hint=hint))


def no_answer(error: Exception, place: str, seconds: float) -> CallFailed:
    """Why there is no answer within `seconds`, although the call, or a part of it, had left."""
    match error:
        case TimeoutError():
            return _unanswered("E305", f"{place} did not answer within {format_duration(seconds)}", "raise `timeout`")
        case h11.LocalProtocolError():
            return not_written(place, str(error))
        case h11.RemoteProtocolError():
            why = short_line(str(error).partition(": ")[0])  # without the bytes, as Python writes them
            message = f"the answer of {place} makes no sense: it is no HTTP: {why}"
            return _unanswered("E307", message, "check the port in `url` of the target")
        case bodies.TooLargeError():
            message = f"the answer of {place} is larger than {bodies.LARGEST_BODY >> 20} MiB"
            return _unanswered(
                "E308", message, "let the process give back less, or a query take less (`select`, `top`)"
            )
        case bodies.NonsenseError():
            return _unanswered("E307", f"the answer of {place} makes no sense: {error}")
        case _:
            message = f"the connection to {place} broke before the answer was whole"
            return _unanswered("E306", f"{message}: {_described(error)}" if isinstance(error, OSError) else message)


def _no_way_through(error: ProxyError, place: str) -> CallFailed:
    """What is between us and `place` is a proxy, and it does not let us through. Its address is a secret."""
    if isinstance(error.cause, TimeoutError):
        return _not_sent("E301", "the proxy does not answer", _PROXY)
    if error.cause is not None:
        known = no_connection(error.cause, "the proxy")
        return replace(known, trouble=replace(known.trouble, hint=_PROXY))
    if error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return replace(_for_good(_unknown_to_proxy(knew_us=error.knew_us)), status=error.status)
    if error.status in _UNREACHED:
        message = f"the proxy did not reach {place}: {short_line(error.words)}"
        return _not_sent("E301", message, f"is the application running? {_BEYOND}")
    if error.status is not None:
        message = f"the proxy makes no tunnel (CONNECT) to {place}: {short_line(error.words)}"
        return _not_sent("E301", message, _NO_TUNNEL)
    return _not_sent("E301", f"the proxy does not answer as a proxy: {error.words}", _PROXY)


def _unknown_to_proxy(*, knew_us: bool) -> Trouble:
    if not knew_us:
        hint = f"write them into `proxy` of the target: `http://NAME:PASSWORD@HOST:PORT`{_BASIC}"
        return Trouble(code="E301", message="the proxy wants a name and a password", hint=hint)
    hint = f"{_PROXY}{_BASIC}; nothing is tried again, since a few wrong tries lock an account"
    return Trouble(code="E301", message="the proxy refuses the name and the password that it was given", hint=hint)


def _not_sent(code: str, message: str, hint: str) -> CallFailed:
    return CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code=code, message=message, hint=hint))


def after_an_act(failure: CallFailed) -> CallFailed:
    """The failure of a call that acts: what was not answered may have happened."""
    if failure.kind is not FailureKind.UNANSWERED:
        return failure
    hint = "; ".join(filter(None, (failure.trouble.hint, "the process log shows whether it happened")))
    trouble = Trouble(code=failure.trouble.code, message=failure.trouble.message, hint=hint)
    return replace(failure, trouble=trouble)


def _unanswered(code: str, message: str, hint: str | None = None) -> CallFailed:
    return CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code=code, message=message, hint=hint))


def _described(error: BaseException | None) -> str:
    """The system's own words, without its numbers and without the address."""
    if isinstance(error, ssl.SSLEOFError):
        return "TLS ended without its own last word"
    if isinstance(error, ssl.SSLError):  # its number is none of the system's
        return _reason(error)
    if isinstance(error, socket.gaierror):
        return short_line(error.strerror or "")
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return short_line(str(error)) if error is not None else "the system does not say why"


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's word for it; errors that Python itself raises have none."""
    return short_line(getattr(error, "reason", None) or str(error))


def _for_good(trouble: Trouble) -> CallFailed:
    return CallFailed(kind=FailureKind.NOT_SENT, trouble=trouble, final=True)
