"""Versions and attempts for tests of ledgers."""

from msgspec.structs import replace

from runner.foundation.problems import ExitCode
from runner.ledger.model import AppliedVersion, AttemptEnd, Ledger, VersionAttempt, VersionClaim
from runner.runs.events import RunStatus

ONE = AppliedVersion(digest="1" * 64, job="billing", case="red", target="here", url="https://a.example", folder="specs")
TWO = replace(ONE, digest="2" * 64)
OTHER = replace(ONE, digest="3" * 64, job="other", case=None)
PASSED = AttemptEnd(status=RunStatus.PASSED, exit_code=ExitCode.PASSED, at="2026-11-30T10:00:00.000Z")
UNKNOWN = AttemptEnd(status=RunStatus.UNKNOWN, exit_code=ExitCode.UNKNOWN, at="2026-11-30T10:00:00.000Z")
NOW = "2026-11-30T09:00:00.000Z"
R1, R2, R3, R4 = (f"0194d2a0-0000-7000-8000-00000000000{number}" for number in range(1, 5))


def attempt(run: str | None, end: AttemptEnd | None = None) -> VersionAttempt:
    return VersionAttempt(run=run, began_at=NOW, place=f"runs/{run}", commit="a4495e1", end=end)


def begin(
    ledger: Ledger, version: AppliedVersion, run: str, *, known: int = 0, passing: frozenset[str] = frozenset()
) -> bool:
    with ledger.begin([claim(version, run, known=known)], passing=passing) as ours:
        return version.digest in ours


def claim(version: AppliedVersion, run: str, *, known: int = 0) -> VersionClaim:
    return VersionClaim(version=version, attempt=attempt(run), known=known)
