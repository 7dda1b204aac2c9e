"""Faults that wait for calls: those of the doubles' files, and those that are set while the sandbox serves.

Faults with `times` are taken in the order in which they were set; what they leave over, a fault without `times` befalls
until it is cleared. A process's own come before those of any process. None outlives the sandbox.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from runner.durations import LONGEST
from runner.sandbox.build import fault
from runner.sandbox.doubles import LINGERING, Double, Fault, FaultKind
from runner.sandbox.json_text import read_json
from runner.values import Json, JsonObject, compact
from runner.words import suggest

_OF_STARTS = frozenset({FaultKind.QUEUED, FaultKind.SUCCESS_BUT_ERROR})
_KEYS = ("fault", "process", "times", "seconds")


class FaultError(ValueError):
    """What was sent is no fault; the message is for people."""


class Faults:
    """`processes` are the codes of all doubles."""

    def __init__(self, doubles: Iterable[Double]) -> None:
        self._waiting: list[tuple[str | None, Fault]] = []
        self.processes: list[str] = []
        for double in doubles:
            self.processes.append(double.code)
            for each in double.faults:
                self.add(each, double.code)

    def add(self, added: Fault, process: str | None) -> None:
        """Let it befall calls of `process`, or of any for None. One without `times` takes the place of its like."""
        if added.times is None:
            self._waiting = [each for each in self._waiting if each[0] != process or each[1].times is not None]
        self._waiting.append((process, added))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, process: str, *, starts: bool) -> Fault | None:
        """The fault that befalls this call; `starts` tells a call that starts a process from one of an element."""
        fitting = [
            (number, each)
            for number, each in enumerate(self._waiting)
            if each[0] in {process, None} and (starts or each[1].kind not in _OF_STARTS)
        ]
        if not fitting:
            return None
        number, (owner, taken) = min(fitting, key=lambda found: _rank(*found[1]))
        if taken.times is not None:
            left = [(owner, replace(taken, times=taken.times - 1))] if taken.times > 1 else []
            self._waiting[number : number + 1] = left
        return taken

    def listed(self) -> list[Json]:
        """What waits, in the shape in which it is set; `times` is what is left of it."""
        return [
            {"fault": each.kind, "process": process, "times": each.times, "seconds": each.seconds or None}
            for process, each in self._waiting
        ]


def _rank(process: str | None, each: Fault) -> tuple[bool, bool]:
    """The first of the lowest rank is taken."""
    return each.times is None, process is None


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
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        yield f"`seconds` is a number of seconds, more than 0 and at most a year, not {compact(value)}"
    if kind not in LINGERING:
        yield f"`seconds` is said of {' and '.join(LINGERING)} alone"


def _near(word: str, known: Collection[str]) -> str:
    near = suggest(word, known)
    return f": did you mean `{near}`?" if near else f": it is one of {', '.join(known)}" if known else ""
