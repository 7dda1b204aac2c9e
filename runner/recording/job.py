"""`Recorded` → a job that starts the process alike, executes its elements, expects its results and its end."""

import re
from collections.abc import Iterator
from typing import Final

from runner.catalogue.kinds import fits
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, as_yaml, is_number
from runner.recording.double import WayTaken, ended, head, result_values, waits, way
from runner.recording.model import Passed, Recorded
from runner.recording.writing import comment, value

_PLAIN_TEXT: Final = lazy_pattern(r"[^\"\\{}\n\r\t]{0,200}")
_NAME: Final = lazy_pattern(r"[A-Za-z_]\w*", re.ASCII)
_UNFIT: Final = lazy_pattern(r"[^a-z0-9._-]+")
_ID: Final = "start"
_PROCESS: Final = f'"{{{{ steps.{_ID}.process_id }}}}"'


def name(run: Recorded) -> str:
    """The job's name: `recorded-usraddtours`."""
    return f"recorded-{_UNFIT.sub('-', run.code.lower()).strip('-') or 'process'}"


def job(run: Recorded) -> str:
    taken = way(run)
    stays = taken.open is not None or any(map(waits, taken.passed)) or run.status not in ("done", "error")
    lines = [
        *head(run),
        "runner: 1",
        f"name: {as_yaml(name(run))}",
        "steps:",
        f"  - id: {_ID}",
        *_start(run, stays=stays),
        *_expectations(run),
        *_following(run, taken),
    ]
    return "".join(f"{line}\n" for line in lines)


def _start(run: Recorded, *, stays: bool) -> Iterator[str]:
    """`stays`: the process is not followed to its end by this step."""
    if run.status == "error":
        yield f"    # {ended(run)[:1].upper()}{ended(run)[1:]}, and so does this job."
    yield "    run:"
    yield f"      process: {as_yaml(run.code)}"
    yield from _parameters(run)
    asked = [code for code in run.results or {} if code in run.process.gives]
    if asked:
        yield f"      results: [{', '.join(map(as_yaml, asked))}]"
    if stays:
        yield "      until: started"


def _parameters(run: Recorded) -> Iterator[str]:
    known = run.process.parameters or {}
    given = {code: sent for code, sent in (run.given or {}).items() if sent is not None}
    lost = [code for code, sent in given.items() if code not in known or not fits(sent, known[code])]
    for code in lost:
        yield "      " + comment(f"Left out: {code}, whose value the process does not take.")
    if run.given is None:
        for code in sorted(run.process.takes):
            yield "      " + comment(f"Not seen: the value of {code}, {known[code].kind}.")
    kept = {code: each for code, each in given.items() if code not in lost}
    if kept:
        yield "      parameters:"
        yield from (f"        {value(code)}: {value(sent)}" for code, sent in kept.items())


def _expectations(run: Recorded) -> Iterator[str]:
    """What the process gave, as far as an expression can say it at a glance. A process that fails is not asked."""
    if run.status == "error":
        return
    results = {code: given for code, given in result_values(run).items() if code in run.process.gives}
    lines = [line for code, each in results.items() if (line := _expectation(code, each)) is not None]
    if lines:
        yield "    expect:"
        yield from (f"      - {as_yaml(line)}" for line in lines)


def _expectation(code: str, given: Json) -> str | None:
    if not _NAME.fullmatch(code):
        return None
    match given:
        case list():
            return f"result.{code} | length == {len(given)}"
        case bool():
            return f"result.{code} == {'true' if given else 'false'}"
        case str() if _PLAIN_TEXT.fullmatch(given):
            return f'result.{code} == "{given}"'
        case _ if is_number(given):
            return f"result.{code} == {given}"
        case _:
            return None


def _following(run: Recorded, taken: WayTaken) -> Iterator[str]:
    """What comes after the start: the elements at which it waited, each as soon as it does, and where it ended."""
    waited = [passed for passed in taken.passed if waits(passed)]
    names = [_element_name(each, taken) for each in waited]
    known = names[: names.index(None)] if None in names else names
    for number, (passed, called) in enumerate(zip(waited, known, strict=False), 1):
        given = f", parameters: {value(dict(passed.given))}" if passed.given else ""
        yield f"  - id: element_{number}"
        yield f"    element: {{of: {_PROCESS}, name: {value(called)}{given}}}"
    for passed in waited[len(known) :]:
        yield "  " + comment(
            f"Not written: a step that executes {passed.caption or passed.uid}: no name leads to it alone."
        )
    is_whole = len(known) == len(waited)
    if waited and is_whole and taken.open is None and run.status in ("done", "error"):
        yield "  - id: ended"
        yield f"    wait: {{process_id: {_PROCESS}}}"
    elif taken.open is not None or not is_whole:
        yield "  - id: parked"
        yield f"    wait: {{process_id: {_PROCESS}, for: parked}}"


def _element_name(passed: Passed, taken: WayTaken) -> str | None:
    """The caption, where no other element has it, else the id of the design; None where that is not alone either."""
    every = (*taken.passed, *(end for end in (taken.open, taken.failing) if end is not None))
    if (
        passed.caption.strip()
        and "{{" not in passed.caption
        and sum(other.caption == passed.caption for other in every) == 1
    ):
        return passed.caption
    return passed.uid if sum(other.uid == passed.uid for other in every) == 1 else None
