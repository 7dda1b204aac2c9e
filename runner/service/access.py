"""The session of a site: a sign-in for all threads, another where the session is lost.

None is tried after a refusal, since a few wrong tries lock an account.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, TypeAlias

from msgspec.structs import replace

from runner.foundation.durations import format_duration
from runner.foundation.sentences import joined_by_and
from runner.secrets.redact import SHORTEST
from runner.service import outages
from runner.service.auth import Credentials
from runner.service.calls import CallFailed
from runner.service.carrier import Carrier
from runner.service.failures import answer_of
from runner.service.gate import Clock, Deadline
from runner.service.session import Session, cookies_in, not_signed_in, renewed, session
from runner.service.site import Site

MOST_UNCLEAR: Final = 3
"""Sign-ins in a row whose answers say neither yes nor no: a call in doubt is searched for as often."""
AGAIN_AFTER: Final = 300.0  # seconds after which another is tried, and then each time


class SignIns(Protocol):
    """What is known of sign-ins with the same credentials at a site. `begin` and `end` enclose each of them."""

    def begin(self, deadline: Deadline) -> CallFailed | None:
        """Why nobody may sign in now; None where the caller may."""

    def end(self, failure: CallFailed | None) -> None:
        """Learn how the sign-in ended that might begin."""

    def forget(self) -> None:
        """Let the next sign-in be tried, also after a refusal: for whoever counts refusals."""


class OwnSignIns:
    """The sign-ins of this program: a refusal is final. After a few unclear answers they become rare."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._refusal: CallFailed | None = None
        self._unclear: list[CallFailed] = []
        self._next = -math.inf

    def begin(self, deadline: Deadline) -> CallFailed | None:
        del deadline
        if self._refusal is not None or self._clock() >= self._next:
            return self._refusal
        trouble = self._unclear[-1].trouble
        message = (
            f"{trouble.message}; after {len(self._unclear)} tries the next is {format_duration(AGAIN_AFTER)} later"
        )
        return replace(self._unclear[-1], trouble=replace(trouble, message=message), status=None)

    def end(self, failure: CallFailed | None) -> None:
        self._refusal = failure if failure is not None and is_refusal(failure) else None
        if failure is None:
            self._unclear.clear()
        elif is_unclear(failure):
            self._unclear.append(failure)
            if len(self._unclear) >= MOST_UNCLEAR:
                self._next = self._clock() + AGAIN_AFTER

    def forget(self) -> None:
        self._refusal = None
        self._unclear.clear()
        self._next = -math.inf


def is_unclear(failure: CallFailed) -> bool:
    """Whether name and password may have been checked, and the answer does not say so; a gateway in trouble did not."""
    return failure.status is not None and failure.status < 500  # noqa: PLR2004  the site's own fault


def is_refusal(failure: CallFailed) -> bool:
    """Whether to sign in again with the same credentials is no help."""
    return failure.final and not failure.unwanted


OnSecret: TypeAlias = Callable[[str, str], object]
"""Given the name and the text of a secret as soon as it is known, before any call carries it."""
BY_DOCTOR: Final = "; `runner doctor` checks the way to the site step by step"
"""The end of a hint, where a sign-in was refused."""


class Access:
    """`carrier` leads to where a user signs in, the site or the identity service; `sign_ins` says whether to try it."""

    def __init__(
        self,
        site: Site,
        credentials: Credentials | None,
        *,
        carrier: Carrier,
        clock: Clock,
        on_secret: OnSecret,
        sign_ins: SignIns | None = None,
    ) -> None:
        self._site = site
        self._credentials = credentials
        self._carrier = carrier
        self._clock = clock
        self._on_secret = on_secret
        self._lock = threading.Lock()
        self._session: Session | None = session({}) if credentials is None else None
        self._sign_ins = sign_ins or OwnSignIns(clock)

    @property
    def username(self) -> str | None:
        """The name that the site knows us by; it knows none of who signs in at the identity service."""
        known = self._credentials
        return None if known is None or known.kind.by_identity_service else known.account

    def session(self, deadline: Deadline) -> Session | CallFailed:
        """The session as it is now, signing in where there is none or its time is over."""
        known = self._session
        if known is not None and self._clock() < known.ends:
            return known
        return self.fresh(known, deadline)

    def fresh(self, stale: Session | None, deadline: Deadline, *, is_over: bool = True) -> Session | CallFailed:
        """Another session than `stale`. A refusal is remembered, since a second try could lock the account.

        `is_over`: the session `stale` is certainly over, so that nobody uses it after a failed sign-in.
        """
        if self._credentials is None:
            return stale or session({})
        if not self._lock.acquire(timeout=max(0.0, deadline.at - self._clock())):
            return outages.no_time_left(self._site.name, deadline.seconds)
        try:
            found = self._other_session(stale) or self._signed_in(self._credentials, deadline)
            if isinstance(found, CallFailed) and (is_over or found.refused_sign_in):
                self._end_session()
            return found
        finally:
            self._lock.release()

    def hide(self, cookies: Iterable[str]) -> None:
        """Report the values of Set-Cookie lines as secrets, but for `UserName`; of a quoted value the inside."""
        for name, value in cookies_in(cookies):
            text = value.strip('"')
            if name != "UserName" and len(text) >= SHORTEST:
                self._on_secret(f"target.cookie.{name}", text)

    def drop(self, known: Session) -> None:
        """The site does not accept `known` any more: whoever calls next signs in anew."""
        with self._lock:
            if self._session is not None and self._session.number == known.number:
                self._end_session()

    def keep(self, known: Session, cookies: Iterable[str]) -> None:
        """Add Set-Cookie lines to the session `known`. Where they remove BPMCSRF it is over: calls get 403 [D]."""
        with self._lock:
            if self._session is known:  # else another thread has signed in anew
                fresh = renewed(known, cookies)
                is_lost = "BPMCSRF" in known.cookies and "BPMCSRF" not in fresh.cookies
                self._session = replace(fresh, ends=-math.inf) if is_lost else fresh

    def forget(self) -> None:
        """Let the next call sign in anew, also after a refusal: for whoever counts refusals."""
        with self._lock:
            self._sign_ins.forget()
            if self._credentials is not None:
                self._end_session()

    def _end_session(self) -> None:
        if self._session is not None:
            self._session = replace(self._session, ends=-math.inf)

    def _other_session(self, stale: Session | None) -> Session | None:
        known = self._session
        return known if known is not None and (stale is None or known.number != stale.number) else None

    def _signed_in(self, credentials: Credentials, deadline: Deadline) -> Session | CallFailed:
        if (refusal := self._sign_ins.begin(deadline)) is not None:
            return refusal
        begun = self._clock()
        found = self._asked(credentials, deadline)
        if isinstance(found, CallFailed) and self._session is not None and not found.refused_sign_in:
            found = replace(found, final=False)  # it let us in before: maintenance, and no wrong address
        self._sign_ins.end(found if isinstance(found, CallFailed) else None)
        if isinstance(found, CallFailed):
            return found
        if found.token is not None:
            self._on_secret("target.token", found.token)
        number = self._session.number + 1 if self._session is not None else 1
        self._session = replace(found, number=number)
        deadline.gate.signed_in(credentials.kind.name, self._clock() - begun)
        return self._session

    def _asked(self, credentials: Credentials, deadline: Deadline) -> Session | CallFailed:
        """Drive the generator that knows how to sign in."""
        kind = credentials.kind
        signing_in = kind.sign_in(self._site, credentials.by_key, self._clock())
        asked = next(signing_in)
        deadline = deadline.within(self._site.calls.timeout, now=self._clock())
        place = self._site if not kind.by_identity_service else Site(url=self._site.identity_url or self._site.url)
        while True:
            reply = self._carrier.exchange(asked, headers=(), deadline=deadline, leaves=deadline.gate.is_wanted)
            if isinstance(reply, CallFailed):
                return not_signed_in(reply, url_key="identity_url" if kind.by_identity_service else "url")
            self.hide(reply.cookies)
            try:
                asked = signing_in.send(answer_of(reply, place))
            except StopIteration as ended:
                outcome: Session | CallFailed = ended.value
                return outcome if isinstance(outcome, Session) else _explained(outcome, credentials.by_key)


def _explained(refusal: CallFailed, texts: Mapping[str, str]) -> CallFailed:
    """A refusal with what is easily copied along with a name or secret, blanks or quotes; and how to find out more."""
    if not refusal.refused_sign_in:
        return refusal
    keys = [key for key, text in texts.items() if text != text.strip()]
    seen = f"take away the blank or line end that {joined_by_and(keys)} begins or ends with; " if keys else ""
    if quoted := [key for key, text in texts.items() if text[:1] in ("'", '"') and text[1:].endswith(text[0])]:
        seen += f"take away the quotes around {joined_by_and(quoted)}, which `set` of cmd keeps; "
    hint = f"{seen}{refusal.trouble.hint}{BY_DOCTOR}"
    return replace(refusal, trouble=replace(refusal.trouble, hint=hint))
