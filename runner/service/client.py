"""The client of a site: sends calls in a session, and renews a lost session once. It may be shared by threads.

Every call ends in a value or a `CallFailed`. Only a reading is made again in a fresh session: the refusal of a call
that acts may be a proxy's answer to its own repetition.
"""

import time
from functools import partial
from http import HTTPStatus
from itertools import count
from os import urandom
from sys import intern
from typing import Final

from msgspec.structs import replace

from runner.foundation.values import JsonObject
from runner.service import odata, outages, replies
from runner.service.access import Access, OnSecret, SignIns
from runner.service.auth import Credentials
from runner.service.calls import SESSION_REFUSED, Act, Answered, Call, CallFailed, Ending, QueryCall, Reading
from runner.service.carrier import Carrier, Transport, network
from runner.service.gate import OPEN, Clock, Deadline, Gate, Pace, SitePace
from runner.service.login_page import signed_out
from runner.service.session import Session
from runner.service.site import Reply, Request, Site
from runner.service.wire import UnwritableError, request

_LONGEST: Final = 2000
"""Characters of an address to which an option of our own is added: IIS takes 2,048 in a query by default [D]."""


def pace_of(site: Site, *, clock: Clock = time.monotonic) -> SitePace | None:
    """What spaces the calls of this process to a site that has a `rate`."""
    return None if site.calls.rate is None else Pace(site.calls.rate, clock=clock)


class Client:
    """Calls to `site`, with `credentials` or without signing in.

    `transport` replaces the network, `pace` spaces the calls, `sign_ins` knows refusals. `on_secret` gets a token or a
    cookie before any call carries it, and before `perform` gives the answer.
    """

    def __init__(
        self,
        site: Site,
        *,
        credentials: Credentials | None = None,
        transport: Transport | None = None,
        clock: Clock = time.monotonic,
        on_secret: OnSecret = lambda _name, _text: None,
        pace: SitePace | None = None,
        sign_ins: SignIns | None = None,
    ) -> None:
        self._site = site
        self._clock = clock
        self._transport = transport or network(site, clock)
        pace = pace or pace_of(site, clock=clock)
        self._carrier = Carrier(
            site.url, place=site.name, transport=self._transport, clock=clock, headers=site.headers, pace=pace
        )
        self._access = Access(
            site,
            credentials,
            carrier=self._door(credentials),
            clock=clock,
            on_secret=on_secret,
            sign_ins=sign_ins,
        )
        self._signs_in = credentials is not None
        self._allowed, self._fruitless = (0, 0), 0
        self._readings = count(int.from_bytes(urandom(4), "big"))
        self._is_lenient = True  # ignores an option that it does not know

    def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
        """Carry out `call` within `seconds`, with a sign-in and a connection, but without the waits of `gate`.

        `gate` is asked last whether the call may leave. All pages of a reading are read, up to the records that it asks
        for.
        """
        deadline = Deadline(at=self._clock() + seconds, seconds=seconds, gate=gate)
        try:
            written = request(call, self._site, username=self._access.username)
        except UnwritableError as error:
            return outages.not_written(self._site.name, str(error), hint="check the job file")
        gate.written(written)
        earlier: tuple[JsonObject, ...] = ()
        size, answered = 0, self._uncached
        while True:
            begun = self._clock()
            reply = answered(call, written, deadline)
            answered = self._answered
            if isinstance(reply, CallFailed):
                return reply
            size += len(reply.body)
            read = replies.read(call, reply, site=self._site, earlier=earlier, took=self._clock() - begun)
            if not isinstance(read, odata.RecordsPage):
                return self._ended(call, reply, read, size=size)
            earlier, written = read.records, Request(method="GET", path=read.following)

    def _uncached(self, call: Call, written: Request, deadline: Deadline) -> Reply | CallFailed:
        """The reply; to a reading with an option that no other has, so that no cache knows its answer: some give it
        without an `Age`, as nginx does [D]. Options without a `$` are ignored [C: Microsoft's OData, which takes each
        once]; a service that refuses it is read without it.
        """
        is_first = not (isinstance(call, Act) or (isinstance(call, QueryCall) and call.next))
        if not (self._is_lenient and is_first) or written.method != "GET" or len(written.path) > _LONGEST:
            return self._answered(call, written, deadline)
        alone = replace(written, path=f"{written.path}&_={next(self._readings):x}")
        reply = self._answered(call, alone, deadline)
        if isinstance(reply, CallFailed) or reply.status != HTTPStatus.BAD_REQUEST:
            return reply
        again = self._answered(call, written, deadline)
        self._is_lenient = isinstance(again, CallFailed) or again.status == HTTPStatus.BAD_REQUEST
        return again

    def _answered(self, call: Call, written: Request, deadline: Deadline) -> Reply | CallFailed:
        """The reply to `call` in a session; to a reading in a fresh session where it was lost."""
        send = partial(self._sent, call, written, deadline=deadline)
        known = self._access.session(deadline)
        reply = send(known)
        if not (isinstance(reply, Reply) and isinstance(known, Session) and self._signs_in):
            return reply
        if signed_out(call, reply):
            if isinstance(call, Act):
                self._access.drop(known)
                return reply
            return send(self._access.fresh(known, deadline))
        if isinstance(call, Act) or not self._is_over(reply, known):
            return reply
        again = send(self._access.fresh(known, deadline, is_over=False))
        is_forbidden = isinstance(again, Reply) and again.status == HTTPStatus.FORBIDDEN
        self._fruitless = self._fruitless + 1 if is_forbidden else 0
        return again

    def _is_over(self, reply: Reply, known: Session) -> bool:
        """Whether a forbidden reading shows a lost session; tried less often where a fresh session is forbidden it."""
        number, count = self._allowed
        if reply.status < HTTPStatus.BAD_REQUEST:
            self._allowed = known.number, (count if number == known.number else 0) + 1
        return reply.status == HTTPStatus.FORBIDDEN and number == known.number and count >= 1 << self._fruitless

    def _ended(self, call: Call, reply: Reply, read: Answered | CallFailed, *, size: int) -> Ending:
        """How the call ended, with the server's time. A call that acts can be made again in a fresh session."""
        date = reply.headers.get("date")
        date = date and intern(date)  # answers of the same second share its text
        if isinstance(read, Answered):
            return Answered(value=read.value, date=date, status=reply.status, size=size)
        is_lost = read.trouble.code == SESSION_REFUSED and isinstance(call, Act) and self._signs_in
        return replace(read, date=date, size=size, final=read.final and not is_lost)

    def sign_in(self, seconds: float) -> CallFailed | None:
        """Sign in within `seconds`, if that is to be done; what is in the way of it."""
        known = self._access.session(Deadline(at=self._clock() + seconds, seconds=seconds, gate=OPEN))
        return known if isinstance(known, CallFailed) else None

    def forget_sign_in(self) -> None:
        """Let the next call sign in anew, also after a refusal."""
        self._access.forget()

    def close(self) -> None:
        self._transport.close()

    def _sent(
        self, call: Call, written: Request, known: Session | CallFailed, *, deadline: Deadline
    ) -> Reply | CallFailed:
        if isinstance(known, CallFailed):
            return _unread(known) if isinstance(call, Reading) else known
        leaves = deadline.gate.may_leave
        reply = self._carrier.exchange(written, headers=known.headers, deadline=deadline, leaves=leaves)
        if isinstance(reply, CallFailed):
            return outages.after_an_act(reply) if isinstance(call, Act) else reply
        if reply.cookies:
            self._access.hide(reply.cookies)
            if not signed_out(call, reply):
                self._access.keep(known, reply.cookies)
        return reply

    def _door(self, credentials: Credentials | None) -> Carrier:
        """Where a user signs in. The identity service is another origin, without the target's headers and rate."""
        if credentials is None or not credentials.kind.by_identity_service:
            return self._carrier
        identity = Site(url=self._site.identity_url or self._site.url)
        return Carrier(identity.url, place=identity.name, transport=self._transport, clock=self._clock)


def _unread(failure: CallFailed) -> CallFailed:
    """A failed reading without a sign-in. The step repeats it, since that sends the password again."""
    return failure if failure.final else replace(failure, final=True, status=None)
