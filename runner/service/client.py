"""The client of one site: sends calls in a session, notices that it is lost and mends it once.

Every call ends in a value or in a `CallFailed`; nothing is raised, and nothing is repeated that may have happened.
It may be shared by threads. What a reply means is `replies`' business, what an outage means `outages`'.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from runner.service import odata, outages, replies
from runner.service.access import Access, Credentials, OnSecret, identity_of
from runner.service.calls import Call, CallFailed, Ending, Reading
from runner.service.login_page import signed_out
from runner.service.pace import Pace, Wait
from runner.service.sign_in import Session
from runner.service.sockets import Clock
from runner.service.transport import Carrier, Deadline, Transport, open_way
from runner.service.wire import Reply, Request, Site, UnwritableError, request
from runner.targets.model import ClientCredentials
from runner.values import JsonObject


class Client:
    """Calls to `site`, with `credentials` or without signing in.

    `transport` replaces the network, `clock` the time, `wait` the waiting for a turn where the site has a `rate`.
    `on_secret` is told of a token before any call carries it.
    """

    def __init__(
        self,
        site: Site,
        *,
        credentials: Credentials | None = None,
        transport: Transport | None = None,
        clock: Clock = time.monotonic,
        wait: Wait = time.sleep,
        on_secret: OnSecret = lambda _name, _text: None,
    ) -> None:
        self._site = site
        self._clock = clock
        self._transport = transport or open_way(site, clock)
        pace = None if site.rate is None else Pace(site.rate, clock=clock, wait=wait)
        self._carrier = Carrier(
            site.url, place=site.name, transport=self._transport, clock=clock, headers=site.headers, pace=pace
        )
        self._access = Access(site, credentials, carrier=self._door(credentials), clock=clock, on_secret=on_secret)
        self._signs_in = credentials is not None

    def perform(self, call: Call, seconds: float, *, wanted: Callable[[], bool] = lambda: True) -> Ending:
        """Carry out `call` within `seconds`, signing in included; not where it is no longer `wanted` after that.

        A reading that is answered in pages is read to its end, or to as many records as it asks for.
        """
        deadline = Deadline(self._clock() + seconds, seconds)
        try:
            written = request(call, self._site, username=self._access.username)
        except UnwritableError as error:
            return outages.not_written(self._site.name, str(error), hint="check the job file")
        earlier: tuple[JsonObject, ...] = ()
        while True:
            reply = self._answered(call, written, deadline, wanted=wanted)
            if isinstance(reply, CallFailed):
                return reply
            read = replies.read(call, reply, site=self._site, earlier=earlier)
            if not isinstance(read, odata.Page):
                return read
            earlier, written = read.records, Request(method="GET", path=read.following)

    def _answered(
        self, call: Call, written: Request, deadline: Deadline, *, wanted: Callable[[], bool]
    ) -> Reply | CallFailed:
        """The reply to `call` in a session, a fresh one where it was lost."""
        send = partial(self._sent, call, written, deadline=deadline, wanted=wanted)
        known = self._access.session(deadline)
        reply = send(known)
        is_lost = isinstance(reply, Reply) and signed_out(call, reply) and self._signs_in
        return send(self._access.fresh(known, deadline)) if is_lost and isinstance(known, Session) else reply

    def sign_in(self, seconds: float) -> CallFailed | None:
        """Sign in within `seconds`, if that is to be done; what is in the way of it."""
        known = self._access.session(Deadline(self._clock() + seconds, seconds))
        return known if isinstance(known, CallFailed) else None

    def forget_sign_in(self) -> None:
        """Let the next call sign in anew, also after a refusal."""
        self._access.forget()

    def close(self) -> None:
        self._transport.close()

    def _sent(
        self,
        call: Call,
        written: Request,
        known: Session | CallFailed,
        *,
        deadline: Deadline,
        wanted: Callable[[], bool],
    ) -> Reply | CallFailed:
        if isinstance(known, CallFailed):
            return _unread(known) if isinstance(call, Reading) else known
        if not wanted():
            return outages.not_wanted(self._site.name)
        reply = self._carrier.exchange(written, headers=known.headers, deadline=deadline)
        if isinstance(reply, Reply) and reply.cookies and not signed_out(call, reply):
            self._access.keep(known, reply.cookies)
        return reply

    def _door(self, credentials: Credentials | None) -> Carrier:
        """Where one signs in. The identity service is another origin: neither the target's headers nor its rate are
        meant for it, and it has connections of its own.
        """
        if not isinstance(credentials, ClientCredentials):
            return self._carrier
        identity = Site(url=identity_of(self._site))
        return Carrier(identity.url, place=identity.name, transport=self._transport, clock=self._clock)


def _unread(failure: CallFailed) -> CallFailed:
    """A reading for which nobody could be signed in: not to be repeated by itself, since each time would send the
    password again. It has no reply of its own; whether the site is well again is for the step to try.
    """
    return failure if failure.final else replace(failure, final=True, status=None)
