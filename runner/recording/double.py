"""The double of a recorded run: its results, its way and its end, with comments on what is left out."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.catalogue.doubles import NewDouble, Script, doubles, is_end
from runner.catalogue.kinds import fits
from runner.catalogue.model import Kind, Parameter
from runner.foundation.durations import format_duration
from runner.foundation.values import Json
from runner.lint.fitting import unfit_value
from runner.recording.inventing import Inventor
from runner.recording.model import Passed, Recorded
from runner.recording.writing import comment, plain, value

_TASK: Final = "UserTask"
_SURELY_WAITED: Final = 1.0
"""Seconds from which on a task is taken to have waited for somebody, where no call of ours shows it. A choice [?]."""
_TAKES_ID: Final = (Kind.GUID, Kind.LOOKUP, Kind.TEXT, Kind.UNKNOWN)
_LONG_ENOUGH: Final = "10m"
_LONGEST_ERROR: Final = 4000
_ALWAYS_UNSEEN: Final = "which records it read and changed: add `select`, `insert`, `update`, `delete` where jobs look."


def double(run: Recorded) -> list[NewDouble]:
    """The double, and of a process with versions the root's, too."""
    return list(doubles(run.process, script=Script(head=tuple(head(run)), activities=tuple(_activities(run)))))


def invented(run: Recorded) -> Recorded:
    inventor, parameters = Inventor(), run.process.parameters or {}

    def values(given: Mapping[str, Json] | None) -> dict[str, Json] | None:
        """Ids of elements are kept: they differ in them, and are not written."""
        if given is None:
            return None
        return {
            **inventor.values(given, parameters),
            **{code: each for code, each in given.items() if run.names_element(each)},
        }

    given, results = values(run.given), values(run.results)
    way = tuple(replace(passed, given=inventor.values(passed.given, {})) for passed in run.way)
    error = run.error and inventor.sentence(run.error)
    return replace(run, given=given, results=results, way=way, error=error)


def head(run: Recorded) -> Iterator[str]:
    """The first lines of both files."""
    yield "# Written by `runner record`, which never writes over it."
    yield comment(f"From process {run.id} of `{run.code}`: {ended(run)}.")
    for sentence in (*run.unseen, _ALWAYS_UNSEEN):
        yield comment(f"Not seen: {sentence}")


def ended(run: Recorded) -> str:
    """How the recorded run ended, in a sentence for the head of the double."""
    took = f" after {format_duration(round(run.seconds, 3))}" if run.seconds else ""
    match run.status:
        case "done":
            return f"it completed{took}"
        case "error":
            return f"it failed{took}"
        case "cancelled":
            return f"somebody cancelled it{took}; a double cannot do that, so it waits where it happened"
        case "running":
            return "it was running when it was recorded"
        case _:
            return f"its status is {run.status}, which is not known here"


def waits(passed: Passed) -> bool:
    """Whether the process waited at this element for somebody."""
    if passed.is_open or passed.executed:
        return True
    is_slow = passed.seconds is not None and passed.seconds >= _SURELY_WAITED
    return passed.status == "done" and passed.kind.endswith(_TASK) and is_slow


class WayTaken(Struct, frozen=True, kw_only=True):
    """The elements that a double comes to; `failing` is where it fails, `open` where it stays; `left` is not played."""

    passed: tuple[Passed, ...] = ()
    failing: Passed | None = None
    open: Passed | None = None
    left: tuple[Passed, ...] = ()


def way(run: Recorded) -> WayTaken:
    """The way up to where the run failed, or stays."""
    steps = [step for step in run.way if not is_end(step.kind)]
    if run.status == "error":
        broken = [step for step in steps if step.status == "error"]
        failing = broken[-1] if broken else None
        return WayTaken(
            passed=tuple(step for step in steps if step is not failing and not step.is_open),
            failing=failing,
            left=tuple(each for each in steps if each.is_open),
        )
    stays = next((passed for passed in steps if passed.is_open), None) if run.status != "done" else None
    left = tuple(step for step in steps if step.is_open and step is not stays)
    return WayTaken(passed=tuple(step for step in steps if not step.is_open), open=stays, left=left)


def result_values(run: Recorded) -> dict[str, Json]:
    """The results that the double sets, those that fit their types; not the ids of elements, which no other run has."""
    parameters = run.process.parameters or {}
    found = run.results or {}
    return {
        code: given
        for code, given in found.items()
        if code in parameters and given is not None and not run.names_element(given) and _takes(parameters[code], given)
    }


def _takes(parameter: Parameter, given: Json) -> bool:
    """A column that the design no longer has is dropped by a process, and a mistake in a double."""
    return fits(given, parameter) and not any(unfit_value("", parameter, given))


def _activities(run: Recorded) -> Iterator[str]:
    taken = way(run)
    yield from _set(run)
    seen: set[str] = set()
    into = dict(_ids(run))
    for passed in (*taken.passed, *((taken.open,) if taken.open else ())):
        yield from _element(passed, seen, into)
    for each in taken.left:
        yield comment(
            f"Left out: {each.caption or each.uid or 'an element'}, which was {each.status} when the process ended."
        )
    yield from _end(run, taken, seen)


def _ids(run: Recorded) -> Iterator[tuple[str, str]]:
    """Results that are ids of elements, with the parameters that were given them."""
    parameters = run.process.parameters or {}
    for code, given in (run.results or {}).items():
        if isinstance(given, str) and code in parameters and parameters[code].kind in _TAKES_ID:
            yield given, code


def _set(run: Recorded) -> Iterator[str]:
    results = result_values(run)
    if results:
        yield "- set:"
        yield from (f"    {value(code)}: {value(given)}" for code, given in results.items())
    for code, each in (run.results or {}).items():
        if code not in results and each is not None and not run.names_element(each):
            yield comment(f"Left out: the value of {code}, which its type does not take.")


def _element(passed: Passed, seen: set[str], into: Mapping[str, str]) -> Iterator[str]:
    fields = [*_named(passed, seen)]
    if passed.id is not None and passed.id in into:
        fields.append(f"into: {value(into[passed.id])}")
    if not waits(passed):
        fields.append("waits: false")
    elif not passed.executed and not passed.is_open:
        took = format_duration(round(passed.seconds or 0, 3))
        yield comment(f"It took {took}, so it is taken to have waited here; if it did not: `waits: false`.")
    yield f"- element: {{{', '.join(fields)}}}"
    if passed.status not in ("done", "running", "cancelled"):
        yield comment(f"It was {passed.status} there, and went on.")


def _named(passed: Passed, seen: set[str]) -> Iterator[str]:
    """A design's id is written once in a double: an element that comes again in a loop has its caption only."""
    if passed.uid is not None and passed.uid not in seen:
        seen.add(passed.uid)
        yield f"uid: {passed.uid}"
    if passed.caption:
        yield f"caption: {plain(passed.caption)}"


def _end(run: Recorded, taken: WayTaken, seen: set[str]) -> Iterator[str]:
    if run.status == "error":
        text = value((run.error or "the process failed, and the log does not say why")[:_LONGEST_ERROR])
        fields = [f"text: {text}", *(_named(taken.failing, seen) if taken.failing else ())]
        yield f"- fail: {{{', '.join(fields)}}}" if taken.failing else f"- fail: {text}"
        if (rest := len(run.error or "") - _LONGEST_ERROR) > 0:
            yield comment(f"Left out: the rest of the text, {rest} characters.")
    elif run.status != "done" and taken.open is None:
        yield comment("It was at no element that could be seen: it goes on in the background.")
        yield "- background: true"
        yield f"- delay: {_LONG_ENOUGH}"
    elif run.in_background and not any(map(waits, taken.passed)) and taken.open is None:
        yield "- background: true"
