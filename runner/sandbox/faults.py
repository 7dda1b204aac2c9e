"""Faults that wait for calls: of the doubles' files, or set while the sandbox serves.

They are taken in their order, those of a process first, those without `times` last, until they are cleared. A stored
sandbox remembers how often a double's own were applied.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.durations import LONGEST
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, compact, is_number
from runner.sandbox.build import fault
from runner.sandbox.doubles import CallFault, Double
from runner.sandbox.fault_kinds import FAULT_KINDS, TAKING_TIME
from runner.sandbox.replies import UnfitRequestError, sent_record

_KEYS = ("fault", "process", "times", "seconds")


class _WaitingFault(Struct, frozen=True, kw_only=True):
    """A fault that waits for calls of `process`, or of any. `position` is its place in its double's file, if any."""

    process: str | None
    fault: CallFault
    position: int | None = None

    @property
    def rank(self) -> tuple[bool, bool]:
        """The first of the lowest rank is taken."""
        return self.fault.times is None, self.process is None


class Faults:
    """`taken`: how often each fault was applied before; `on_taken` gets the double's code and the fault's place."""

    def __init__(
        self,
        doubles: Iterable[Double],
        *,
        taken: Mapping[tuple[str, int], int] | None = None,
        on_taken: Callable[[str, int], None] | None = None,
    ) -> None:
        self._waiting: list[_WaitingFault] = []
        self._on_taken = on_taken
        self.processes: list[str] = []
        for double in doubles:
            self.processes.append(double.code)
            for position, each in enumerate(double.faults):
                left = _left(each, (taken or {}).get((double.code, position), 0))
                if left is not None:
                    self._waiting.append(_WaitingFault(process=double.code, fault=left, position=position))

    def add(self, added: CallFault, process: str | None) -> None:
        """Apply it to calls of `process`, or of any for None. A fault without `times` replaces its like."""
        if added.times is None:
            self._waiting = [each for each in self._waiting if each.process != process or each.fault.times is not None]
        self._waiting.append(_WaitingFault(process=process, fault=added))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, process: str, *, starts: bool, root: str | None = None) -> CallFault | None:
        """The fault of this call; `starts`: it starts a process, and executes no element.

        A fault of a file is of its own version only; a fault set for a process is of all its versions.
        """
        fitting = [
            (number, each)
            for number, each in enumerate(self._waiting)
            if (each.process in {process, None} or (each.process == root and each.position is None))
            and (starts or not FAULT_KINDS[each.fault.kind].of_starts)
        ]
        if not fitting:
            return None
        number, found = min(fitting, key=lambda pair: pair[1].rank)
        left = _left(found.fault, 1)
        self._waiting[number : number + 1] = [] if left is None else [replace(found, fault=left)]
        if found.position is not None and found.fault.times is not None and self._on_taken is not None:
            self._on_taken(process, found.position)
        return found.fault

    def listed(self) -> list[Json]:
        """The waiting faults, as they are set; `times` is the rest."""
        return [
            {
                "fault": each.fault.kind,
                "process": each.process,
                "times": each.fault.times,
                "seconds": each.fault.seconds or None,
            }
            for each in self._waiting
        ]


def _left(fault: CallFault, taken: int) -> CallFault | None:
    """What is left of a fault that was applied to so many calls; None where nothing is."""
    if fault.times is None or not taken:
        return fault
    return replace(fault, times=fault.times - taken) if fault.times > taken else None


def read_fault(body: bytes, processes: Collection[str]) -> tuple[CallFault, str | None]:
    """The fault that a request sets, and its process; null is the same as nothing. Raises `UnfitRequestError`."""
    sent = sent_record(body, example='{"fault": "slow", "times": 1, "seconds": 5}')
    fields: JsonObject = {key: value for key, value in sent.items() if value is not None}
    wrong = next(_mistakes(fields, processes), None)
    if wrong is not None:
        raise UnfitRequestError(wrong)
    process = fields.get("process")
    return fault(fields), None if process is None else str(process)


def _mistakes(fields: JsonObject, processes: Collection[str]) -> Iterator[str]:
    for key in fields:
        if key not in _KEYS:
            yield f"unknown key `{key}`{near_miss(key, _KEYS)}"
    if "fault" not in fields:
        yield f"`fault` is missing: it is one of {', '.join(FAULT_KINDS)}"
    for key, known in (("fault", FAULT_KINDS), ("process", processes)):
        value = fields.get(key)
        if value is not None and not isinstance(value, str):
            yield f"`{key}` is a text, not {compact(value)}"
        elif value is not None and value not in known:
            yield f"there is no {key} `{value}`{near_miss(value, known)}"
    times, seconds = fields.get("times", 1), fields.get("seconds", 1)
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        yield f"`times` is a whole number of at least 1, not {compact(times)}"
    if not is_number(seconds) or not 0 < seconds <= LONGEST:
        yield f"`seconds` is a number of seconds, more than 0 and at most a year, not {compact(seconds)}"
    if "seconds" in fields and fields.get("fault") not in TAKING_TIME:
        yield f"only {' and '.join(TAKING_TIME)} take `seconds`"


def near_miss(word: str, known: Collection[str]) -> str:
    """The end of a message about an unknown word: the nearest word, or all that are known."""
    near = suggest(word, known)
    return f": did you mean `{near}`?" if near else f": it is one of {', '.join(known)}" if known else ""
