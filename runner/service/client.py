"""The client of one site: signs in, sends calls, notices a lost session and mends it once.

Every call ends in a value or in a `CallFailed`; nothing is raised, and nothing is repeated that may have happened.
It may be shared by threads. What a reply means is `replies`' business, what an outage means `outages`'.
"""

import threading
import time

from runner.service import failures, outages, replies
from runner.service.calls import Call, CallFailed, Ending
from runner.service.sign_in import Credentials, Session, not_signed_in, renewed, session, sign_in
from runner.service.sockets import Clock
from runner.service.transport import Carrier, Deadline, Transport
from runner.service.wire import Reply, Request, Site, request


class Client:
    """Calls to `site`, with `password` or without signing in. `transport` replaces the network, `clock` the time."""

    def __init__(
        self,
        site: Site,
        *,
        password: Credentials | None = None,
        transport: Transport | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._site = site
        self._credentials = password
        self._clock = clock
        self._carrier = Carrier(site.url, place=site.name, transport=transport, clock=clock)
        self._lock = threading.Lock()
        self._session: Session | None = session({}) if password is None else None
        self._refusal: CallFailed | None = None

    def perform(self, call: Call, seconds: float) -> Ending:
        """Carry out `call` within `seconds`, signing in included."""
        deadline = Deadline(self._clock() + seconds, seconds)
        username = None if self._credentials is None else self._credentials.username
        written = request(call, self._site, username=username)
        known = self._session or self._sign_in(None, deadline)
        if isinstance(known, CallFailed):
            return known
        reply = self._sent(written, known, deadline)
        if isinstance(reply, Reply) and failures.signed_out(reply) and self._credentials is not None:
            known = self._sign_in(known, deadline)
            if isinstance(known, CallFailed):
                return known
            reply = self._sent(written, known, deadline)
        return reply if isinstance(reply, CallFailed) else replies.read(call, reply, site=self._site)

    def close(self) -> None:
        self._carrier.close()

    def _sent(self, written: Request, known: Session, deadline: Deadline) -> Reply | CallFailed:
        reply = self._carrier.exchange(written, headers=known.headers, deadline=deadline)
        if isinstance(reply, Reply) and reply.cookies and not failures.signed_out(reply):
            with self._lock:
                if self._session is known:  # else another thread has signed in anew
                    self._session = renewed(known, reply.cookies)
        return reply

    def _sign_in(self, stale: Session | None, deadline: Deadline) -> Session | CallFailed:
        """A session other than `stale`: another thread's, or a fresh one.

        A refusal is remembered, since a second try, by this thread or another, could lock the account.
        """
        if not self._lock.acquire(timeout=max(0.0, deadline.at - self._clock())):
            return outages.no_time_left(self._site.name, deadline.seconds)
        try:
            if self._refusal is not None:
                return self._refusal
            if self._session is not None and self._session is not stale:
                return self._session
            found = self._signed_in(deadline)
            if isinstance(found, CallFailed):
                self._refusal = found if found.final else None
            else:
                self._session = found
            return found
        finally:
            self._lock.release()

    def _signed_in(self, deadline: Deadline) -> Session | CallFailed:
        """Drive the generator that knows how to sign in."""
        assert self._credentials is not None
        signing_in = sign_in(self._site, self._credentials)
        asked = next(signing_in)
        while True:
            reply = self._carrier.exchange(asked, headers=(), deadline=deadline)
            if isinstance(reply, CallFailed):
                return not_signed_in(reply)
            try:
                asked = signing_in.send(reply)
            except StopIteration as ended:
                outcome: Session | CallFailed = ended.value
                return outcome
