"""Signing in with name and password at the root of the site, on both runtimes [D]."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace

from runner.service.calls import CallFailed, FailureKind
from runner.service.session import Answer, SigningIn, not_signed_in, renewed, session
from runner.service.site import COMMON_HEADERS, Request, Site, json_request
from runner.service.words import short_line, words_of

_LOGIN: Final = "/ServiceModel/AuthService.svc/Login"
_UTC: Final = 0  # minutes, as a browser sends them: the session's time zone where the user's profile has none [C]
_URL_HINT: Final = "`url` of the target must be the root of a Creatio site, without `/0` and without a page after it"
_AUTH_HINT: Final = "check `auth` of the target; nothing is tried again, since a few wrong tries lock an account"
_PAGE_HINT: Final = "a server before the application answered, and checked no password: let it pass this call"
_CHANGE_HINT: Final = "sign in with a browser once: the password has to be changed"


def sign_in(site: Site, texts: Mapping[str, str], _now: float) -> SigningIn:
    """A failure is of kind `not_sent`: the call that needs it never left. `final`: trying again is no help."""
    asked = json_request(
        _LOGIN, {"UserName": texts["username"], "UserPassword": texts["password"], "TimeZoneOffset": _UTC}
    )
    answer = yield replace(asked, headers=(*asked.headers, *session({}).headers))
    failure = _refusal(answer, site)
    if failure is not None:
        return failure
    signed_in = renewed(session({}), answer.cookies)
    if "BPMCSRF" not in signed_in.cookies:
        # Some sites give it with the first page only [C].
        page = yield Request(method="GET", path=f"{site.prefix}/", headers=(*COMMON_HEADERS, *signed_in.headers))
        signed_in = renewed(signed_in, page.cookies)
    return signed_in


def _refusal(answer: Answer, site: Site) -> CallFailed | None:
    """The service answers 200 also when it refuses; its `Code` says so [D]."""
    if answer.failure is not None:
        return _by_status(answer, answer.failure, site)
    record = answer.record
    if record is None or "Code" not in record:
        why = answer.unread or "it is no record with a `Code`"
        return answer.no_sign_in(f"the answer of {site.name} makes no sense: {why}", code="E307", hint=_URL_HINT)
    leads = answer.text("RedirectUrl")
    if record["Code"] in (0, "0") and (answer.cookies or not (leads or answer.text("PasswordChangeUrl"))):
        return None
    words = answer.text("Message") or words_of(record.get("Exception"))
    second = f"the site wants a second step at `{leads}`, which a program cannot do: use OAuth, or a user without it"
    hint = _CHANGE_HINT if answer.text("PasswordChangeUrl") else second if leads else _AUTH_HINT
    return answer.refusal(f"{site.name} refused the sign-in{': ' if words else ''}{words}", hint=hint, is_checked=True)


def _by_status(answer: Answer, failure: CallFailed, site: Site) -> CallFailed:
    """A plain no stays a no however often it is asked; a gateway in trouble may be well again in a minute."""
    words = failure.trouble.message
    # a page comes from a server in front of the application: nobody has checked the password
    is_checked = answer.status in (401, 403) and not answer.is_page
    final = answer.status < 500  # noqa: PLR2004  the site's own fault
    if (root := _moved(answer, site)) is not None:
        why = f"{site.name} redirects to `{root}`, so that `url` of the target is wrong"
        return answer.no_sign_in(why, hint=f"if that is the site, write `url: {root}`; nothing was sent there")
    if answer.is_login_page or answer.status == 403:  # noqa: PLR2004  Forbidden
        message = f"{site.name} refused the sign-in: {words}"
        gateways = failure.trouble.hint if answer.is_login_page else _PAGE_HINT if answer.is_page else None
        is_checked = is_checked and gateways is None
        return answer.refusal(message, hint=gateways or _AUTH_HINT, final=final, is_checked=is_checked)
    if failure.kind is FailureKind.REFUSED:
        hint = _URL_HINT if 400 <= answer.status < 500 else failure.trouble.hint  # noqa: PLR2004  a redirect knows better
        return answer.refusal(f"no sign-in at {_LOGIN}: {words}", hint=hint, final=final, is_checked=is_checked)
    return not_signed_in(failure)


def _moved(answer: Answer, site: Site) -> str | None:
    """The address that the site wants to be called by, where it redirects to the sign-in there."""
    if not 300 <= answer.status < 400 or not answer.location.endswith(_LOGIN):  # noqa: PLR2004  redirects
        return None
    own = site.url.rstrip("/")
    try:
        address = urlsplit(urljoin(own + _LOGIN, answer.location))
    except ValueError:
        return None
    root = short_line(f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path[: -len(_LOGIN)]}")
    return None if root == own else root
