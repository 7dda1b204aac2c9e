"""The session that comes of a sign-in, and what a failure to sign in means for the call that needs a session."""

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.discreet import Discreet
from runner.foundation.values import JsonObject
from runner.runs.events import Trouble
from runner.service.calls import CallFailed, FailureKind
from runner.service.site import Headers, Request
from runner.service.words import short_line


class Session(Discreet, frozen=True, kw_only=True):
    """What every call carries."""

    NOT_SHOWN: ClassVar = frozenset({"cookies", "headers", "token"})

    cookies: Mapping[str, str]  # as the site set them
    headers: Headers  # what the cookies add
    token: str | None = None  # of OAuth; then there are no cookies
    ends: float = math.inf  # when it must not be used any longer, by the clock of who signs in
    number: int = 0  # counts sign-ins: sessions with the same number differ in later cookies only


class Answer(Struct, frozen=True, kw_only=True):
    """What a reply to a request of a sign-in says."""

    status: int
    failure: CallFailed | None  # what its status means, if it failed
    record: JsonObject | None  # the JSON in it
    unread: str | None  # why there is none, with `it` or `its` first
    is_page: bool
    is_login_page: bool
    location: str  # where a redirect leads to, without its query
    cookies: tuple[str, ...]
    body: str | None

    def text(self, key: str) -> str:
        found = (self.record or {}).get(key)
        return short_line(found) if isinstance(found, str) else ""

    def refusal(
        self, message: str, *, hint: str | None, code: str = "E303", final: bool = True, is_checked: bool = False
    ) -> CallFailed:
        """The call that needs the session never left. `is_checked`: name and secret were checked, and refused."""
        return CallFailed(
            kind=FailureKind.NOT_SENT,
            trouble=Trouble(code=code, message=message, hint=hint),
            status=self.status,
            retry_after=None if self.failure is None else self.failure.retry_after,
            final=final,
            refused_sign_in=is_checked,
            body=self.body,
            no_session=message,
        )

    def no_sign_in(self, why: str, *, hint: str | None, code: str = "E303") -> CallFailed:
        """Like `refusal`, where `why` itself does not say that it is about a sign-in."""
        return replace(self.refusal(f"no sign-in: {why}", hint=hint, code=code), no_session=why)


SigningIn: TypeAlias = Generator[Request, Answer, Session | CallFailed]
"""A sign-in without I/O: it yields requests and is handed what their replies say."""

_ANSWERED: Final = frozenset({"E307", "E308"})  # codes of failures after an answer, of whatever kind


def session(cookies: Mapping[str, str]) -> Session:
    """Headers of every call: ForceUseSession and BPMCSRF [D]; without a BPMCSRF cookie we go on without its header."""
    headers = [("ForceUseSession", "true")]
    if token := cookies.get("BPMCSRF"):
        headers.append(("BPMCSRF", token))
    if cookies:
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
    return Session(cookies=cookies, headers=tuple(headers))


def renewed(known: Session, lines: Iterable[str]) -> Session:
    """`known` with the cookies of more Set-Cookie lines: BPMSESSIONID comes later [D]. A bearer call has none [C]."""
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


def not_signed_in(failure: CallFailed, *, url_key: str = "url") -> CallFailed:
    """What a failed sign-in means for its call: it never left. Nonsense ends all trying, to lock no account."""
    trouble = failure.trouble
    hint = None if trouble.hint is None else trouble.hint.replace("`url`", f"`{url_key}`")
    final = failure.final or trouble.code in _ANSWERED
    because = Trouble(code=trouble.code, message=f"no sign-in: {trouble.message}", hint=hint)
    return replace(failure, kind=FailureKind.NOT_SENT, trouble=because, final=final, no_session=trouble.message)
