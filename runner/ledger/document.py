"""What `apply` came to, for programs: `schema/apply.schema.json` describes it."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runner.foundation.problems import ExitCode
from runner.foundation.values import Json, JsonObject
from runner.ledger.decisions import Decision
from runner.ledger.model import AppliedVersion, LedgerEntry
from runner.ledger.repeats import NOTHING_REPEATED, RepeatedSteps

FORMAT: Final = 1


class ApplyDocument(Struct, frozen=True, kw_only=True):
    """`decided` are the versions as the command found them, by their digests, `decisions` as they are at its end.
    `repeated` are the steps that versions which begin start a second time.
    """

    ledger: str
    dry_run: bool
    decided: Mapping[str, Decision]
    decisions: Sequence[Decision]
    repeated: Mapping[str, RepeatedSteps]
    gone: Sequence[LedgerEntry]
    exit_code: ExitCode

    def data(self) -> JsonObject:
        return {
            "format": FORMAT,
            "ledger": self.ledger,
            "dry_run": self.dry_run,
            "exit_code": int(self.exit_code),
            "versions": [self._version(each) for each in self.decisions],
            "gone": [{**_about(entry.version), **_of_entry(entry)} for entry in self.gone],
        }

    def _version(self, decision: Decision) -> Json:
        found = self.decided.get(decision.digest, decision)
        repeated = self.repeated.get(decision.digest, NOTHING_REPEATED)
        before = None
        if found.before is not None:
            entry = found.before.entry
            before = {"digest": entry.version.digest, **_of_entry(entry)}
        return {
            **_about(decision.version),
            "decision": found.state.value,
            "state": decision.state.value,
            **_of_entry(None if decision.known is None else decision.known.entry),
            "note": (decision.known.note or None) if decision.known is not None else None,
            "before": before,
            "repeats": [*repeated.keys],
            "repeats_unread": [*repeated.unread],
        }


def _about(version: AppliedVersion) -> JsonObject:
    return {name: getattr(version, name) for name in ("title", "job", "case", "target", "url", "digest", "key")}


def _of_entry(entry: LedgerEntry | None) -> JsonObject:
    """The last attempt; of no entry there was none."""
    last = {} if entry is None else entry.last.columns
    names = ("run", "began_at", "commit", "status", "exit_code", "ended_at")
    return {"attempts": 0 if entry is None else entry.attempts, **{name: last.get(name) for name in names}}
