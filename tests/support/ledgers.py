"""Versions and attempts for tests of ledgers."""

from msgspec.structs import replace

from runner.foundation.problems import ExitCode
from runner.ledger.model import AppliedVersion, AttemptEnd, Ledger, VersionAttempt
from runner.runs.events import RunStatus

ONE = AppliedVersion(digest="1" * 64, job="billing", case="red", target="here", url="https://a.example", folder="specs")
TWO = replace(ONE, digest="2" * 64)
OTHER = replace(ONE, digest="3" * 64, job="other", case=None)
PASSED = AttemptEnd(status=RunStatus.PASSED, exit_code=ExitCode.PASSED, at="2026-11-30T10:00:00.000Z")
UNKNOWN = AttemptEnd(status=RunStatus.UNKNOWN, exit_code=ExitCode.UNKNOWN, at="2026-11-30T10:00:00.000Z")
NOW = "2026-11-30T09:00:00.000Z"


def attempt(run: str | None, end: AttemptEnd | None = None) -> VersionAttempt:
    return VersionAttempt(run=run, began_at=NOW, place=f"runs/{run}", commit="a4495e1", end=end)


def begin(
    ledger: Ledger, version: AppliedVersion, run: str, *, known: int = 0, passing: frozenset[str] = frozenset()
) -> bool:
    with ledger.begin(version, attempt(run), known=known, passing=passing) as is_ours:
        return is_ours
