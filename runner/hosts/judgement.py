"""What whoever carries a run out says of rows in doubt: verdicts of a person, another look, or nothing for now."""

from collections.abc import Mapping

from msgspec import Struct, field

from runner.engine.effects import ResolveDoubt
from runner.foundation.values import JsonObject
from runner.runs.evidence import Person


class Judgement(Struct, frozen=True, kw_only=True):
    """How a command settles what is in doubt."""

    verdicts: Mapping[str, JsonObject] = field(default_factory=dict)  # by the key: `{"as": "passed", "result": …}`
    people: Mapping[str, Person] = field(default_factory=dict)  # who gave them, if not the person of the host
    hold: bool = False  # a run in doubt is left before its turning point
    look_again: bool = False  # the log is asked once more
    only_settle: bool = False  # no call is made but readings of the log


_LAST_WORDS = ("passed", "failed")  # verdicts on a run that has ended: nothing of it is repeated any more


class Judging:
    """Answers the engine's questions; each verdict is given once, and for each row the log is read again once."""

    def __init__(self, judgement: Judgement) -> None:
        self._leaves = judgement.hold or judgement.only_settle
        self._looks = judgement.look_again
        self._log_asked: set[str] = set()
        self._verdicts = dict(judgement.verdicts)

    @property
    def unused(self) -> tuple[str, ...]:
        """The keys of verdicts that nobody asked for."""
        return tuple(self._verdicts)

    def answer(self, asked: ResolveDoubt) -> JsonObject | None:
        """The verdict on a row, or what to do with them all; None where the run is to be left as it is."""
        for key in asked.keys:
            verdict = self._verdicts.get(key)
            if verdict is not None and (not asked.ended or verdict.get("as") in _LAST_WORDS):
                return {**self._verdicts.pop(key), "key": key}
        if asked.refused:  # the log was read just now: another look would hide why the verdict was refused
            return None
        if self._looks and not self._log_asked.issuperset(asked.keys):
            self._log_asked.update(asked.keys)
            return {"as": "log"}
        return None if asked.ended or self._leaves else {"as": "unknown"}
