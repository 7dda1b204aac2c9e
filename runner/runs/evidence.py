"""Parts of events that are evidence: nothing is decided by them, and a run is resumed whatever they hold."""

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

StoredValue: TypeAlias = Any
"""A `runner.foundation.values.Json`; msgspec, which reads these records back, knows no recursive alias."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of an event."""


class Difference(Record, frozen=True, omit_defaults=True):
    """What an expectation wanted, and what there was."""

    source: str  # what was compared, as it is written, or the place in a result
    sign: str  # of the comparison, or a keyword of JSON Schema
    expected: StoredValue
    actual: StoredValue = None  # of a list that was searched: the nearest item
    at: int | None = None  # the index of this item
    among: int | None = None  # how many items there were


class SentRequest(Record, frozen=True, omit_defaults=True):
    """A call as it was sent, without what belongs to the session and the connection. Secrets are holes."""

    method: str
    path: str  # below the site's root, encoded
    query: tuple[tuple[str, str], ...] = ()  # decoded; a query that would be encoded otherwise is in `path`
    body: StoredValue | msgspec.UnsetType = msgspec.UNSET  # the JSON; None is an empty body
    left_out: int = 0  # bytes of a large request that are not here


class SiteAccess(Record, frozen=True):
    """How calls get in: the kind of sign-in, the source of tokens, names of the target's headers; None for none."""

    auth: str | None
    identity_url: str | None
    headers: tuple[str, ...]


class CiRun(Record, frozen=True):
    """The CI job that has started the command: its page, and the branch or tag. None where it does not say."""

    url: str | None
    ref: str | None


class ApplyOrigin(Record, frozen=True):
    """The `runner apply` that ordered the run."""

    ledger: str  # its file, or the address of the database
    fleet: str | None = None  # the ledger's name in the database
    for_key: str | None = None  # the key of the version
    targets: str | None = None  # the targets file that was named
    inputs: dict[str, str] = {}  # as `-i` takes them, without secrets, case and defaults


class VerdictSource(StrEnum):
    """How a person's word has reached the run."""

    OPTION = "option"  # `resume --as`
    QUESTION = "question"  # at the terminal, to a question of the job
    YES = "yes"  # `--yes`, which answers every question of the job


class Person(Record, frozen=True):
    """Who gives a command: the user of the system, and the user that the CI names. None where it is not known."""

    user: str | None = None
    ci_user: str | None = None

    @property
    def called(self) -> str:
        """`ada@host (octocat in CI)`."""
        return f"{self.user or 'somebody'}{f' ({self.ci_user} in CI)' if self.ci_user else ''}"


class Confirmation(StrEnum):
    """How somebody has confirmed that a run may go to a protected target."""

    OPTION = "option"  # `--confirm TARGET`
    QUESTION = "question"  # at the terminal


class Starter(Record, frozen=True):
    """Who began a run, or put it into the queue of a fleet."""

    user: str  # with the machine, `ada@host`
    ci_user: str | None = None  # as in `Person`
    confirmed: Confirmation | None = None  # None: the target is not protected


class VerdictBy(Record, frozen=True):
    """Who gave a verdict or an answer, and how. `user` and `ci_user` are as in `Person`."""

    how: VerdictSource
    user: str | None
    ci_user: str | None


class LockHolder(Record, frozen=True, omit_defaults=True):
    """Who had what a run has waited for: `run` and `folder`, where these are known, and others."""

    job: str
    run: str | None
    folder: str | None = None


class Unverified(StrEnum):
    """Why nothing proves how a row ended."""

    NOTHING = "nothing"  # there is nothing that the process log could prove; of a row with parts these say it
    OFF = "off"  # `verify: none`
    UNREADABLE = "unreadable"  # the process log cannot be read
    NOT_ASKED = "not_asked"  # the row did not pass, whatever the log says
    NOT_SHOWN = "not_shown"  # it was searched for, and what was found proves nothing
    BY_HAND = "by_hand"
    """It is in doubt, and there is nothing by which the process log could be searched: only a person can settle it."""


class PauseReason(StrEnum):
    """Why a run pauses."""

    PAUSE = "pause"  # the step is a `pause`
    RETRY = "retry"  # before the next attempt
    POLL = "poll"  # before another look at what is waited for
    SETTLE = "settle"  # before another look for a call in doubt
