"""Parts of events that are evidence: nothing is decided by them, and a run is resumed whatever they hold."""

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

Value: TypeAlias = Any
"""A `runner.foundation.values.Json`; msgspec, which reads these records back, knows no recursive alias."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of an event."""


class Difference(Record, frozen=True, omit_defaults=True):
    """What an expectation wanted beside what there was, as values.

    `source` is what was compared, as it is written, or the place in a result; `sign` that of the comparison, or a
    keyword of JSON Schema. Of a list that was searched, `at` is the index of the nearest item, which is `actual`, and
    `among` how many items there were.
    """

    source: str
    sign: str
    expected: Value
    actual: Value = None
    at: int | None = None
    among: int | None = None


class SentRequest(Record, frozen=True, omit_defaults=True):
    """A call as it was put on the wire, but for what belongs to the session and to the connection.

    `path` is below the site's root, encoded. `query` are its options, each value decoded; a query that would be
    encoded in another way stays in `path`. `body` is the JSON that was sent; None is an empty body. Secrets are holes.
    Of a large request `left_out` counts the bytes of query and body, which are not here.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Value | msgspec.UnsetType = msgspec.UNSET
    left_out: int = 0


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
    """The `runner apply` that ordered the run. `ledger` is the file of its ledger, or the address of the database;
    `fleet` the name of the ledger there, None where no fleet carried the run out. `for_key` is the key of the version,
    `targets` the targets file that was named. `inputs` are the texts of inputs that neither the case nor a default
    gave, as `-i` takes them; never a secret.
    """

    ledger: str
    fleet: str | None = None
    for_key: str | None = None
    targets: str | None = None
    inputs: dict[str, str] = {}


class VerdictSource(StrEnum):
    """How a person's word has reached the run."""

    OPTION = "option"
    """`resume --as`."""
    QUESTION = "question"
    """At the terminal, to a question of the job."""
    YES = "yes"
    """`--yes`, which answers every question of the job."""


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

    OPTION = "option"
    """`--confirm TARGET`."""
    QUESTION = "question"
    """At the terminal."""


class Starter(Record, frozen=True):
    """Who began a run: `user` with the machine, `ada@host`, and `ci_user` as in `Person`. Of a run of a fleet it is who
    put it into the queue. `confirmed` is None where the target is not protected.
    """

    user: str
    ci_user: str | None = None
    confirmed: Confirmation | None = None


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

    NOTHING = "nothing"
    """There is nothing that the process log could prove; of a row with parts these say it."""
    OFF = "off"
    """`verify: none`."""
    UNREADABLE = "unreadable"
    """The process log cannot be read."""
    NOT_ASKED = "not_asked"
    """The row did not pass, whatever the log says."""
    NOT_SHOWN = "not_shown"
    """It was searched for, and what was found proves nothing."""
    BY_HAND = "by_hand"
    """It is in doubt, and there is nothing by which the process log could be searched: only a person can settle it."""


class PauseReason(StrEnum):
    """Why a run pauses."""

    PAUSE = "pause"
    """The step is a `pause`."""
    RETRY = "retry"
    """Before the next attempt."""
    POLL = "poll"
    """Before another look at what is waited for."""
    SETTLE = "settle"
    """Before another look for a call in doubt."""
