"""How a call ends: with a value, or with a failure that says what it may have done to the site."""

from enum import StrEnum
from typing import ClassVar, Final, TypeAlias

from runner.foundation.discreet import Discreet
from runner.foundation.values import Json
from runner.runs.events import Trouble

SESSION_REFUSED: Final = "E304"
"""The code of a call that was answered with a demand to sign in."""


class FailureKind(StrEnum):
    """What a failed call may have done to the site."""

    NOT_SENT = "not_sent"
    """Nothing left this machine: no connection, no session."""
    TURNED_AWAY = "turned_away"
    """It says that it did not act: 401, a login page, 429. A proxy that repeats a call hands on its second answer."""
    REFUSED = "refused"
    """The service refused. Something may have happened before it did."""
    UNANSWERED = "unanswered"
    """It may have happened."""


class Answered(Discreet, frozen=True, kw_only=True):
    """`date` is the server's own time, as the header of its answer says it.

    `status` is of HTTP; `size` the bytes of the answer's body, over all its pages.
    """

    NOT_COMPARED: ClassVar = frozenset({"date", "status", "size"})

    value: Json
    date: str | None = None
    status: int | None = None
    size: int | None = None


class CallFailed(Discreet, frozen=True, kw_only=True):
    """`status` is of HTTP, None without a reply; `retry_after` is seconds; `final`: repeating cannot help.

    `unwanted`: when it could have been sent, after a sign-in perhaps, nobody wanted it any more, and it was not.
    `date` is as in `Answered`. `nothing_ran`: of a call that was turned away, the answer alone proves it.
    `refused_sign_in`: name and password, or the OAuth client, were checked and refused. A few of that lock an account.
    `body` is the start of what the service answered, as text; `size` the bytes of all that it answered.
    `no_session` says why there is no session, for whoever asks for nothing else; empty of what failed after a sign-in.
    """

    NOT_SHOWN: ClassVar = frozenset({"body"})
    NOT_COMPARED: ClassVar = frozenset({"size", "no_session"})

    kind: FailureKind
    trouble: Trouble
    status: int | None = None
    retry_after: float | None = None
    final: bool = False
    unwanted: bool = False
    date: str | None = None
    nothing_ran: bool = False
    refused_sign_in: bool = False
    body: str | None = None
    size: int | None = None
    no_session: str = ""


Ending: TypeAlias = Answered | CallFailed
