"""What `apply` came to, for programs: `schema/apply.schema.json` describes it."""

from collections.abc import Mapping, Sequence
from typing import Final

from runner.foundation.problems import ExitCode
from runner.foundation.values import Json, JsonObject
from runner.ledger.decisions import Decision
from runner.ledger.model import AppliedVersion, LedgerEntry
from runner.ledger.repeats import NOTHING_REPEATED, RepeatedSteps

FORMAT: Final = 1


def apply_document(
    decisions: Sequence[Decision],
    decided: Mapping[str, Decision],
    *,
    ledger: str,
    dry_run: bool,
    repeated: Mapping[str, RepeatedSteps],
    gone: Sequence[LedgerEntry],
    exit_code: ExitCode,
) -> JsonObject:
    """`decisions`: the versions at the end; `decided`: as they were found; `repeated`: steps done a second time."""
    found = [(each, decided.get(each.digest, each)) for each in decisions]
    return {
        "format": FORMAT,
        "ledger": ledger,
        "dry_run": dry_run,
        "exit_code": int(exit_code),
        "versions": [_version(each, before, repeated.get(each.digest, NOTHING_REPEATED)) for each, before in found],
        "gone": [{**_about(entry.version), **_last_attempt(entry)} for entry in gone],
    }


def _version(decision: Decision, found: Decision, repeated: RepeatedSteps) -> Json:
    before = None
    if found.before is not None:
        entry = found.before.entry
        before = {"digest": entry.version.digest, **_last_attempt(entry)}
    return {
        **_about(decision.version),
        "decision": found.state.value,
        "state": decision.state.value,
        **_last_attempt(None if decision.known is None else decision.known.entry),
        "note": (decision.known.note or None) if decision.known is not None else None,
        "before": before,
        "repeats": [*repeated.keys],
        "repeats_unread": [*repeated.unread],
    }


def _about(version: AppliedVersion) -> JsonObject:
    return {name: getattr(version, name) for name in ("title", "job", "case", "target", "url", "digest", "key")}


def _last_attempt(entry: LedgerEntry | None) -> JsonObject:
    last = {} if entry is None else {**entry.last.columns, "adopted_by": entry.last.adopted_by}
    names = ("run", "began_at", "commit", "status", "exit_code", "ended_at", "adopted_by")
    return {"attempts": 0 if entry is None else entry.attempts, **{name: last.get(name) for name in names}}
