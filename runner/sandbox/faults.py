"""Faults that wait for calls: those of the doubles' files, and those that are set while the sandbox serves.

Faults with `times` are taken in the order in which they were set; what they leave over, a fault without `times` befalls
until it is cleared. A process's own come before those of any process. None that was set outlives the sandbox; of a
double's own a sandbox that keeps its data knows, when it is served again, how often they have befallen a call.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from runner.foundation.durations import LONGEST
from runner.foundation.json_text import read_json
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, compact, is_number
from runner.sandbox.build import fault
from runner.sandbox.doubles import LINGERING, Double, Fault, FaultKind

_OF_STARTS = frozenset({FaultKind.QUEUED, FaultKind.SUCCESS_BUT_ERROR})
_KEYS = ("fault", "process", "times", "seconds")


class FaultError(ValueError):
    """What was sent is no fault; the message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A fault that waits for calls of `process`, or of any. `position` is its place in its double's file, if any."""

    process: str | None
    fault: Fault
    position: int | None = None

    @property
    def rank(self) -> tuple[bool, bool]:
        """The first of the lowest rank is taken."""
        return self.fault.times is None, self.process is None


class Faults:
    """`processes` are the codes of all doubles.

    `taken` says how often a fault of a double has befallen a call before, `on_taken` is told when one does: by the
    double's code and the fault's place in its file.
    """

    def __init__(
        self,
        doubles: Iterable[Double],
        *,
        taken: Mapping[tuple[str, int], int] | None = None,
        on_taken: Callable[[str, int], None] | None = None,
    ) -> None:
        self._waiting: list[_Waiting] = []
        self._on_taken = on_taken
        self.processes: list[str] = []
        for double in doubles:
            self.processes.append(double.code)
            for position, each in enumerate(double.faults):
                left = _left(each, (taken or {}).get((double.code, position), 0))
                if left is not None:
                    self._waiting.append(_Waiting(process=double.code, fault=left, position=position))

    def add(self, added: Fault, process: str | None) -> None:
        """Let it befall calls of `process`, or of any for None. One without `times` takes the place of its like."""
        if added.times is None:
            kept = [each for each in self._waiting if each.process != process or each.fault.times is not None]
            self._waiting = kept
        self._waiting.append(_Waiting(process=process, fault=added))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, process: str, *, starts: bool, root: str | None = None) -> Fault | None:
        """The fault that befalls this call; `starts` tells a call that starts a process from one of an element.

        A fault of a file befalls its own version; one that was set for a process, calls of every version of it.
        """
        fitting = [
            (number, each)
            for number, each in enumerate(self._waiting)
            if (each.process in {process, None} or (each.process == root and each.position is None))
            and (starts or each.fault.kind not in _OF_STARTS)
        ]
        if not fitting:
            return None
        number, found = min(fitting, key=lambda one: one[1].rank)
        left = _left(found.fault, 1)
        self._waiting[number : number + 1] = [] if left is None else [replace(found, fault=left)]
        if found.position is not None and found.fault.times is not None and self._on_taken is not None:
            self._on_taken(process, found.position)
        return found.fault

    def listed(self) -> list[Json]:
        """What waits, in the shape in which it is set; `times` is what is left of it."""
        return [
            {
                "fault": each.fault.kind,
                "process": each.process,
                "times": each.fault.times,
                "seconds": each.fault.seconds or None,
            }
            for each in self._waiting
        ]


def _left(fault: Fault, taken: int) -> Fault | None:
    """What is left of a fault that has befallen so many calls; None where nothing is."""
    if fault.times is None or not taken:
        return fault
    return replace(fault, times=fault.times - taken) if fault.times > taken else None


def read_fault(body: bytes, processes: Collection[str]) -> tuple[Fault, str | None]:
    """The fault that the body of a request sets, and its process. Raises `FaultError`; null is the same as nothing."""
    try:
        said = read_json(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise FaultError('the body is no JSON record, as in {"fault": "slow", "times": 1, "seconds": 5}')
    fields: JsonObject = {key: value for key, value in said.items() if value is not None}
    wrong = next(_mistakes(fields, processes), None)
    if wrong is not None:
        raise FaultError(wrong)
    process = fields.get("process")
    return fault(fields), None if process is None else str(process)


def _mistakes(fields: JsonObject, processes: Collection[str]) -> Iterator[str]:
    for key in fields:
        if key not in _KEYS:
            yield f"unknown key `{key}`{_near(key, _KEYS)}"
    if "fault" not in fields:
        yield f"`fault` is missing: it is one of {', '.join(FaultKind)}"
    yield from _unknown("fault", fields.get("fault", FaultKind.SLOW), list(FaultKind))
    if "process" in fields:
        yield from _unknown("process", fields["process"], processes)
    times = fields.get("times", 1)
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        yield f"`times` is a whole number of at least 1, not {compact(times)}"
    if "seconds" in fields:
        yield from _of_seconds(fields["seconds"], str(fields["fault"]))


def _unknown(key: str, value: Json, known: Collection[str]) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"`{key}` is a text, not {compact(value)}"
    elif value not in known:
        yield f"there is no {key} `{value}`{_near(value, known)}"


def _of_seconds(value: Json, kind: str) -> Iterator[str]:
    if not is_number(value) or not 0 < value <= LONGEST:
        yield f"`seconds` is a number of seconds, more than 0 and at most a year, not {compact(value)}"
    if kind not in LINGERING:
        yield f"`seconds` is said of {' and '.join(LINGERING)} alone"


def _near(word: str, known: Collection[str]) -> str:
    near = suggest(word, known)
    return f": did you mean `{near}`?" if near else f": it is one of {', '.join(known)}" if known else ""
