"""Asking the identity service for a token, with OAuth 2.0 client credentials [D], as a generator without I/O.

The identity service is another origin than the site: it is sent nothing of a session and none of the target's headers.
A token lives for an hour, and there is none to refresh it by [D]: who needs a fresh one asks again.
"""

import math
import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from runner.foundation.values import Json, JsonObject
from runner.runs.events import Trouble
from runner.service import bodies, failures
from runner.service.calls import CallFailed, FailureKind
from runner.service.login_page import signed_out
from runner.service.sign_in import Session, SigningIn, not_signed_in
from runner.service.wire import COMMON_HEADERS, Reply, Request, Site
from runner.targets.model import ClientCredentials

_TOKEN: Final = "/connect/token"  # noqa: S105  a path
_MARGIN_SECONDS: Final = 60.0
_LARGEST_SHARE: Final = 0.1
"""A token is given up so long before its end, but no more than this share of its life: a call takes its time, too."""
_VISIBLE = re.compile(r"[!-~]+")
_IDENTITY_HINT: Final = (
    "`identity_url` must be the address of the identity service, in the cloud `https://NAME-is.creatio.com`; "
    "the application itself gives no tokens"
)
_CLIENT_HINT: Final = "check `client_id` and `client_secret` in `auth` of the target, and that the client is active"


def ask_token(identity: Site, credentials: ClientCredentials, *, now: float) -> SigningIn:
    """Ask `identity` for a token at `now`.

    A failure is of kind `not_sent`, since the call behind it never left; `final` where asking again cannot help.
    """
    form = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "grant_type": "client_credentials",
    }
    headers = (*COMMON_HEADERS, ("Content-Type", "application/x-www-form-urlencoded"))
    reply = yield Request(method="POST", path=_TOKEN, headers=headers, body=urlencode(form).encode())
    return _no_token(reply, identity) or _session(reply, identity, now=now)


def not_asked(failure: CallFailed) -> CallFailed:
    """What a failure on the way to the identity service means for the call behind it: it never left."""
    hint = failure.trouble.hint
    return _hinting(not_signed_in(failure), None if hint is None else hint.replace("`url`", "`identity_url`"))


def _no_token(reply: Reply, identity: Site) -> CallFailed | None:
    """The refusal in `reply`, if it is one."""
    status = reply.status
    if bodies.is_page(reply.body) or 300 <= status < 400:  # noqa: PLR2004  redirects
        return _page(reply, identity)
    if 200 <= status < 300:  # noqa: PLR2004  success
        return None
    failure = failures.by_status(None, reply, identity)
    error = _answer(reply)
    if status in (400, 401, 403) and isinstance(error.get("error"), str):
        said = ": ".join(filter(None, (_text(error, "error"), _text(error, "error_description"))))
        return _refused(reply, f"{identity.name} refused the sign-in: {said}", hint=_CLIENT_HINT, is_refusal=True)
    if status in (401, 403):
        said = failure.trouble.message
        return _refused(reply, f"{identity.name} refused the sign-in: {said}", hint=_CLIENT_HINT, is_refusal=True)
    if failure.kind is FailureKind.REFUSED:
        return _refused(reply, f"no token at {_TOKEN}: {failure.trouble.message}", hint=_IDENTITY_HINT)
    return not_asked(failure)


def _page(reply: Reply, identity: Site) -> CallFailed | None:
    """A web page, or the way to one: asked for a token, the application answers with its login page [M].

    A page of a gateway in trouble says nothing of the kind.
    """
    if reply.status >= 500 or reply.status == 429:  # noqa: PLR2004  trouble of a gateway, too many requests
        return not_asked(failures.by_status(None, reply, identity))
    if signed_out(None, reply):
        shown = "its login page"
    elif 300 <= reply.status < 400:  # noqa: PLR2004  redirects
        shown = "a redirect"
    else:
        title = bodies.title(reply.body)
        shown = f"a web page with the title `{title}`" if title else "a web page"
    return _refused(
        reply, f"no sign-in: {identity.name} answered with {shown} in place of a token", hint=_IDENTITY_HINT
    )


def _session(reply: Reply, identity: Site, *, now: float) -> Session | CallFailed:
    answer = _answer(reply)
    token = answer.get("access_token")
    if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
        failure = failures.nonsense(reply, identity, "it holds no `access_token`")
        without_body = replace(failure, body=None)  # there may be a token in it all the same
        return _hinting(not_signed_in(without_body), _IDENTITY_HINT)
    # A bearer call needs neither cookies nor BPMCSRF nor ForceUseSession [C].
    return Session(
        cookies={}, headers=(("Authorization", f"Bearer {token}"),), token=token, ends=now + _good_for(answer)
    )


def _good_for(answer: JsonObject) -> float:
    """Seconds for which a token may be used; without a word about it, until the site says no."""
    seconds = answer.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = float(seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        return math.inf
    return seconds - min(_MARGIN_SECONDS, seconds * _LARGEST_SHARE)


def _answer(reply: Reply) -> JsonObject:
    """The record in `reply`, empty where there is none."""
    try:
        content = bodies.content(reply.body, content_type=reply.headers.get("content-type", ""))
    except bodies.NonsenseError:
        return {}
    return content.value if isinstance(content, bodies.Plain) and isinstance(content.value, dict) else {}


def _hinting(failure: CallFailed, hint: str | None) -> CallFailed:
    trouble = failure.trouble
    return replace(failure, trouble=Trouble(code=trouble.code, message=trouble.message, hint=hint))


def _refused(reply: Reply, message: str, *, hint: str, is_refusal: bool = False) -> CallFailed:
    """`is_refusal`: the identity service knows its business, and refuses the client."""
    trouble = Trouble(code="E303", message=message, hint=hint)
    kind, body = FailureKind.NOT_SENT, failures.body_of(reply)
    return CallFailed(
        kind=kind, trouble=trouble, status=reply.status, final=True, refused_sign_in=is_refusal, body=body
    )


def _text(answer: JsonObject, key: str) -> str:
    found: Json = answer.get(key)
    return bodies.shortened(found) if isinstance(found, str) else ""
