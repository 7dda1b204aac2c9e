"""The ledger: which versions of jobs were applied, in which attempts, and how these ended. It outlives the runs.

A version is written down before it is sent, and open until its end is. `runner.ledger.file` and
`runner.ledger.database` implement it.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from msgspec import Struct

from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import job_and_case
from runner.reports.safe import clean
from runner.runs.events import RunStatus

USUAL = ".runner/ledger"  # the file of the ledger in the folder of a project, where none is named


DIRTY = "-dirty"
"""What a commit in the ledger ends with that does not hold the version's files as they were, as in `git describe`."""


class LedgerError(UsageError):
    """The ledger cannot be read or written; `why` says why, `hint` what to do."""

    def __init__(self, why: str, *, hint: str | None = None) -> None:
        message = f"the ledger cannot be read or written: {clean(why)}"
        super().__init__(Problem(code="E185", message=message, hint=hint))
        self.why = why


class AppliedVersion(Struct, frozen=True, kw_only=True):
    """A job's case, or its only run, at a target."""

    digest: str  # 64 hexadecimal digits
    job: str
    case: str | None
    target: str
    url: str  # empty for a sandbox
    folder: str  # of the job's file, relative to the project's
    key: str | None = None  # of `--for` and `--every`

    @property
    def name(self) -> str:
        return job_and_case(self.job, self.case)

    @property
    def run(self) -> tuple[str, str]:
        return self.name, self.target

    @property
    def title(self) -> str:
        return "@".join(self.run)


class AttemptEnd(Struct, frozen=True, kw_only=True):
    """How an attempt ended; `at` is UTC, `…Z`."""

    status: RunStatus
    exit_code: ExitCode
    at: str


class VersionAttempt(Struct, frozen=True, kw_only=True):
    """A run of a version; times are UTC, `…Z`."""

    run: str | None  # None: taken for applied without a run
    began_at: str
    place: str = ""  # where the run is, or who took it for applied
    commit: str | None = None  # with `DIRTY` where the files differ
    end: AttemptEnd | None = None  # None while it is open

    @property
    def adopted_by(self) -> str | None:
        """Who took the version for applied without a run: `ada@host (octocat in CI)`."""
        return (self.place or None) if self.run is None else None

    @property
    def columns(self) -> dict[str, str | int | None]:
        """What is stored of it, by the names of the columns."""
        end = self.end
        status, code, at = (None, None, None) if end is None else (end.status.value, int(end.exit_code), end.at)
        own = {"run": self.run, "began_at": self.began_at, "place": self.place, "commit": self.commit}
        return {**own, "status": status, "exit_code": code, "ended_at": at}


class LedgerEntry(Struct, frozen=True, kw_only=True):
    """A version that is written down: how many attempts there were, and the last."""

    version: AppliedVersion
    attempts: int
    last: VersionAttempt

    @property
    def has_passed(self) -> bool:
        """Whether the last attempt passed, or was adopted."""
        return self.last.end is not None and self.last.end.status is RunStatus.PASSED


def entry_of(row: Mapping[str, Any]) -> LedgerEntry:
    """The entry in a row with the columns of a version and of its last attempt, and the number of `attempts`."""
    end = None
    if row["status"] is not None:
        end = AttemptEnd(status=RunStatus(row["status"]), exit_code=ExitCode(row["exit_code"]), at=row["ended_at"])
    last = VersionAttempt(**{name: row[name] for name in ("run", "began_at", "place", "commit")}, end=end)
    version = AppliedVersion(**{name: row[name] for name in AppliedVersion.__struct_fields__})
    return LedgerEntry(version=version, attempts=row["attempts"], last=last)


class VersionClaim(Struct, frozen=True, kw_only=True):
    """An attempt that is to begin, after `known` others at the version."""

    version: AppliedVersion
    attempt: VersionAttempt
    known: int


class Ledger(Protocol):
    """All versions of a place. Used by several programs at once; each method raises `LedgerError`."""

    @property
    def name(self) -> str:
        """How messages name the ledger."""

    def exists(self) -> bool:
        """Whether anything was ever written down here."""

    def prepare(self) -> None:
        """Make it ready for writing, and see that it can be written."""

    def close(self) -> None: ...

    def find(self, digests: Collection[str]) -> dict[str, LedgerEntry]:
        """The entries of versions, by their digests; those that are not known are left out."""

    def newest(self) -> list[LedgerEntry]:
        """The newest version of each title, sorted by title, without pruned versions."""

    def newest_with(self, key: str | None) -> list[LedgerEntry]:
        """The newest versions with this key, also pruned versions."""

    def unsettled(self) -> list[LedgerEntry]:
        """The versions with an open or doubtful last attempt."""

    def not_passed(self, version: AppliedVersion) -> list[tuple[str, RunStatus | None]]:
        """The runs of title, address and key since a run passed or was adopted, with their ends, the oldest first."""

    def begin(
        self, claims: Sequence[VersionClaim], *, passing: Collection[str] = ()
    ) -> AbstractContextManager[frozenset[str]]:
        """Write the attempts down durably when the context ends; meanwhile nobody else writes. Gives those that are
        written.

        Nothing is sent before that. A claim is refused that is not attempt `known` + 1 any more, or while another
        version of its title is open, unless its run is in `passing`.
        """

    def end(self, run: str, end: AttemptEnd) -> None:
        """Write down how the attempt of `run` ended, durably; once more with another end replaces the first."""

    def release(self, run: str) -> None:
        """Forget the attempt of `run`, which sent nothing."""

    def adopt(self, versions: Sequence[AppliedVersion], attempt: VersionAttempt) -> None:
        """Take versions for applied, without a run, all or none."""

    def prune(self, digests: Collection[str]) -> None:
        """Leave these versions and their titles out of `newest`, until any begins again."""
