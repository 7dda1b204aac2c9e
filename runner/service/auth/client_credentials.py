"""OAuth 2.0 client credentials [D]: the identity service gives a token for an hour, and none to refresh it by [D].

The identity service is another origin: it gets nothing of a session, and none of the target's headers.
"""

import math
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import JsonObject
from runner.service.calls import CallFailed, FailureKind
from runner.service.session import Answer, Session, SigningIn, not_signed_in
from runner.service.site import COMMON_HEADERS, Request, Site

_TOKEN: Final = "/connect/token"  # noqa: S105  a path
_MARGIN_SECONDS: Final = 60.0
_LARGEST_SHARE: Final = 0.1
"""A token is given up so long before its end, but no more than this share of its life: a call takes its time, too."""
_VISIBLE = lazy_pattern(r"[!-~]+")
_IDENTITY_HINT: Final = (
    "`identity_url` must be the address of the identity service, in the cloud `https://NAME-is.creatio.com`; "
    "the application itself gives no tokens"
)
_OF_THE_GRANT: Final = frozenset({"invalid_scope", "unsupported_grant_type"})
_GRANT_HINT: Final = "let the identity service give this client tokens by `client_credentials`, with its scopes"
_GATEWAY_HINT: Final = "a gateway before the identity service refused this: let its rules pass `/connect/token`"
_CLIENT_HINT: Final = "check `client_id` and `client_secret` in `auth` of the target, and that the client is active"


def sign_in(site: Site, texts: Mapping[str, str], now: float) -> SigningIn:
    """Ask the identity service of `site` for a token at `now`. A failure is `not_sent`: the call itself never left."""
    identity = Site(url=site.identity_url or site.url, prefix="")
    form = {**texts, "grant_type": "client_credentials"}
    headers = (*COMMON_HEADERS, ("Content-Type", "application/x-www-form-urlencoded"))
    answer = yield Request(method="POST", path=_TOKEN, headers=headers, body=urlencode(form).encode())
    return _no_token(answer, identity) or _session(answer, identity, now=now)


def _no_token(answer: Answer, identity: Site) -> CallFailed | None:
    status, failure, error = answer.status, answer.failure, answer.text("error")
    if answer.is_page or 300 <= status < 400:  # noqa: PLR2004  redirects
        return _page(answer, identity)
    if failure is None and not error:
        return None
    words = ": ".join(filter(None, (error, answer.text("error_description"))))
    if failure is None or status in (401, 403) or (status == 400 and error):  # noqa: PLR2004  how OAuth refuses a client
        hint = _GRANT_HINT if error in _OF_THE_GRANT else _CLIENT_HINT
        words = words or ("" if failure is None else failure.trouble.message)
        return answer.refusal(f"{identity.name} refused the sign-in: {words}", hint=hint, is_checked=True)
    if failure.kind is FailureKind.REFUSED:
        return answer.refusal(f"no token at {_TOKEN}: {failure.trouble.message}", hint=_IDENTITY_HINT)
    return not_signed_in(failure, url_key="identity_url")


def _page(answer: Answer, identity: Site) -> CallFailed:
    """A web page: the application answers with its login page [M]. A page of a gateway in trouble is no such sign."""
    failure = answer.failure
    if failure is not None and (answer.status >= 500 or answer.status == 429):  # noqa: PLR2004  trouble, too many
        return not_signed_in(failure, url_key="identity_url")
    if failure is not None and not answer.is_login_page:
        known = not_signed_in(failure, url_key="identity_url").trouble
        hint = {403: _GATEWAY_HINT, 404: _IDENTITY_HINT}.get(answer.status, known.hint)
        return answer.no_sign_in(failure.trouble.message, hint=hint)
    shown = "its login page" if answer.is_login_page else (answer.unread or "").removeprefix("it is ")
    return answer.no_sign_in(f"{identity.name} answered with {shown} in place of a token", hint=_IDENTITY_HINT)


def _session(answer: Answer, identity: Site, *, now: float) -> Session | CallFailed:
    token = (answer.record or {}).get("access_token")
    if not isinstance(token, str) or not _VISIBLE.fullmatch(token):
        why = f"the answer of {identity.name} makes no sense: it holds no `access_token`"
        # there may be a token in it all the same
        return replace(answer.no_sign_in(why, code="E307", hint=_IDENTITY_HINT), body=None)
    # A bearer call needs neither cookies nor BPMCSRF nor ForceUseSession [C].
    headers = (("Authorization", f"Bearer {token}"),)
    return Session(cookies={}, headers=headers, token=token, ends=now + _good_for(answer.record or {}))


def _good_for(answer: JsonObject) -> float:
    """Seconds for which a token may be used; without `expires_in` until the site says no."""
    seconds = answer.get("expires_in")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = float(seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        return math.inf
    return seconds - min(_MARGIN_SECONDS, seconds * _LARGEST_SHARE)
