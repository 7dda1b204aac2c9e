"""Signing in with name and password, as a generator without I/O, and the session that comes of it.

It yields requests, is handed their replies and returns a session or a refusal; who drives it knows the network.
"""

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit

from runner.foundation.values import Json, JsonObject
from runner.runs.events import Trouble
from runner.service import bodies, failures, outages
from runner.service.calls import CallFailed, FailureKind
from runner.service.login_page import signed_out, without_query
from runner.service.wire import COMMON_HEADERS, Headers, Reply, Request, Site, json_request
from runner.targets.model import Password

_LOGIN: Final = "/ServiceModel/AuthService.svc/Login"
_URL_HINT: Final = "`url` of the target must be the root of a Creatio site, without `/0` and without a page behind it"
_AUTH_HINT: Final = "check `auth` of the target; nothing is tried again, since a few wrong tries lock an account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every call carries. `cookies` are as the site set them, `headers` is what they add; with an OAuth `token`
    there are no cookies, and none are taken later.

    `ends` is when it must not be used any longer, on the clock of whoever signs in. `number` counts sign-ins: sessions
    of one number differ in their later cookies only.
    """

    cookies: Mapping[str, str] = field(repr=False)
    headers: Headers = field(repr=False)
    token: str | None = field(default=None, repr=False)
    ends: float = math.inf
    number: int = 0


_ANSWERED: Final = frozenset({"E307", "E308"})
"""Codes of failures behind which there was an answer, of whatever kind."""

SigningIn: TypeAlias = Generator[Request, Reply, Session | CallFailed]


def session(cookies: Mapping[str, str]) -> Session:
    """Headers of every call: ForceUseSession and BPMCSRF [D]; without a BPMCSRF cookie we go on without its header."""
    headers = [("ForceUseSession", "true")]
    if token := cookies.get("BPMCSRF"):
        headers.append(("BPMCSRF", token))
    if cookies:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    return Session(cookies=cookies, headers=tuple(headers))


def renewed(known: Session, lines: Iterable[str]) -> Session:
    """`known` with the cookies of further Set-Cookie lines: BPMSESSIONID comes only later [D].

    A bearer call carries no cookie [C].
    """
    if known.token is not None:
        return known
    cookies = dict(known.cookies)
    for name, value in cookies_in(lines):
        if name and value:
            cookies[name] = value
        else:  # how ASP.NET takes a cookie back
            cookies.pop(name, None)
    fresh = session(cookies)
    return replace(known, cookies=fresh.cookies, headers=fresh.headers)


def cookies_in(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and value of each line of Set-Cookie; a name without a value is a cookie that is taken back."""
    for line in lines:
        name, _, value = line.partition(";")[0].partition("=")
        yield name.strip(), value.strip()


def sign_in(site: Site, credentials: Password) -> SigningIn:
    """Sign in at the root of the site, on both runtimes [D].

    A failure is always of kind `not_sent`, since the call behind it never left; `final` where trying again cannot help.
    """
    asked = json_request(_LOGIN, {"UserName": credentials.username, "UserPassword": credentials.password})
    reply = yield replace(asked, headers=(*asked.headers, *session({}).headers))
    failure = _refusal(reply, site)
    if failure is not None:
        return failure
    signed_in = renewed(session({}), reply.cookies)
    if "BPMCSRF" not in signed_in.cookies:
        # Some set-ups give it with the first page only [C].
        page = yield Request(method="GET", path=f"{site.prefix}/", headers=(*COMMON_HEADERS, *signed_in.headers))
        signed_in = renewed(signed_in, page.cookies)
    return signed_in


def not_signed_in(failure: CallFailed) -> CallFailed:
    """What a failure of signing in means for the call behind it: it never left.

    An answer that makes no sense is one, and ends all trying as a refusal does: who sends a password again and again
    could lock an account.
    """
    trouble = failure.trouble
    hints = [hint for hint in (trouble.hint or "").split("; ") if hint != outages.IN_LOG]  # no process was to start
    told = Trouble(code=trouble.code, message=f"no sign-in: {trouble.message}", hint="; ".join(hints) or None)
    final = failure.final or trouble.code in _ANSWERED
    return replace(failure, kind=FailureKind.NOT_SENT, trouble=told, final=final)


def _refusal(reply: Reply, site: Site) -> CallFailed | None:
    """The service answers 200 also when it refuses; its `Code` tells [D]."""
    if not 200 <= reply.status < 300:  # noqa: PLR2004  success
        return _by_status(reply, site)
    try:
        content = bodies.content(reply.body, content_type=reply.headers.get("content-type", ""))
    except bodies.NonsenseError as error:
        return _nonsense(reply, site, str(error))
    if not isinstance(content, bodies.Plain) or not isinstance(content.value, dict) or "Code" not in content.value:
        return _nonsense(reply, site, _seen(content))
    return None if content.value["Code"] in (0, "0") else _refused(reply, site, content.value)


def _refused(reply: Reply, site: Site, answer: JsonObject) -> CallFailed:
    words = _text(answer, "Message") or failures.words_of(answer.get("Exception"))
    hint = _AUTH_HINT
    if _text(answer, "PasswordChangeUrl"):
        hint = "the password has to be changed: sign in with a browser once"
    trouble = Trouble(code="E303", message=f"{site.name} refused the sign-in{': ' if words else ''}{words}", hint=hint)
    kind, body = FailureKind.NOT_SENT, failures.body_of(reply)
    return CallFailed(kind=kind, trouble=trouble, status=reply.status, final=True, refused_sign_in=True, body=body)


def _by_status(reply: Reply, site: Site) -> CallFailed:
    """A plain no stays one however often it is asked; a gateway in trouble may be well again in a minute."""
    failure = failures.by_status(None, reply, site)
    told = failure.trouble.message
    if moved := _moved(reply, site):
        trouble = moved
    elif signed_out(None, reply) or reply.status == 403:  # noqa: PLR2004  Forbidden
        trouble = Trouble(code="E303", message=f"{site.name} refused the sign-in: {told}", hint=_AUTH_HINT)
    elif failure.kind is FailureKind.REFUSED:
        hint = failure.trouble.hint if reply.status < 400 else _URL_HINT  # noqa: PLR2004  a redirect knows better
        trouble = Trouble(code="E303", message=f"no sign-in at {_LOGIN}: {told}", hint=hint)
    else:
        return not_signed_in(failure)
    final = reply.status < 500  # noqa: PLR2004  its own fault
    # a page comes from whatever stands before the application: nobody has checked the password
    is_refusal = reply.status in (401, 403) and not bodies.is_page(reply.body)
    return replace(failure, kind=FailureKind.NOT_SENT, trouble=trouble, final=final, refused_sign_in=is_refusal)


def _moved(reply: Reply, site: Site) -> Trouble | None:
    """The sign-in is redirected to the one of another address, by which the site wants to be called."""
    location = without_query(reply.headers.get("location", ""))
    if not 300 <= reply.status < 400 or not location.endswith(_LOGIN):  # noqa: PLR2004  redirects
        return None
    own = site.url.rstrip("/")
    try:
        address = urlsplit(urljoin(own + _LOGIN, location))
    except ValueError:
        return None
    root = bodies.shortened(f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path[: -len(_LOGIN)]}")
    if root == own:
        return None
    message = f"no sign-in: {site.name} redirects to `{root}`, so that `url` of the target is wrong"
    return Trouble(
        code="E303", message=message, hint=f"if that is the site, write `url: {root}`; nothing was sent there"
    )


def _nonsense(reply: Reply, site: Site, why: str) -> CallFailed:
    failure = not_signed_in(failures.nonsense(reply, site, why))
    return replace(failure, trouble=Trouble(code="E307", message=failure.trouble.message, hint=_URL_HINT))


def _seen(content: bodies.Content) -> str:
    if isinstance(content, bodies.Page):
        return f"it is a web page{f' with the title `{content.title}`' if content.title else ''}"
    return "it is no record with a `Code`" if content is not None else "it is empty"


def _text(answer: JsonObject, key: str) -> str:
    found: Json = answer.get(key)
    return bodies.shortened(found) if isinstance(found, str) else ""
