"""What came of asking the process log again about calls that stay in doubt.

What a row says of itself was found out first, perhaps by an earlier command; the log may say another thing by now.
"""

from collections.abc import Iterable, Iterator, Sequence

from runner.foundation.values import Json
from runner.reports.safe import clean
from runner.reports.words import trouble_lines
from runner.runs.events import Asked, AttemptFailed, CallAnswered, CallSent, Line, StepFinished


def read_again(lines: Sequence[Line], keys: Iterable[str], *, since: int) -> list[str]:
    """Sentences on each row of `keys`, by the last reading about it; none where nothing was read about it.

    Readings count from line `since` on, where a command has resumed the run.
    """
    readings = _readings(lines[since:])
    return [sentence for key in keys if key in readings for sentence in _sentences(key, readings[key], lines)]


def _readings(lines: Sequence[Line]) -> dict[str, CallAnswered | AttemptFailed]:
    """What the last call of each row came to that only reads."""
    under_way: set[str] = set()
    found: dict[str, CallAnswered | AttemptFailed] = {}
    for line in lines:
        match line.event:
            case CallSent(key=key, effect="read"):
                under_way.add(key)
            case CallAnswered(key=key) | AttemptFailed(key=key) as event if key in under_way:
                under_way.remove(key)
                found[key] = event
            case _:
                pass
    return found


def _sentences(key: str, reading: CallAnswered | AttemptFailed, lines: Sequence[Line]) -> Iterator[str]:
    if isinstance(reading, AttemptFailed):
        yield f"the process log could not be read about `{clean(key)}`"
        yield from trouble_lines(reading.error)
        return
    match reading.value:
        case {"status": str(status)}:
            shown = f"it shows the process as {clean(status)}; this does not settle the call"
        case value:
            known, others = _known(lines, key), _others(lines, key)
            new = [row for row in _rows(value) if row not in known]
            shown = _shown([row for row in new if row not in others], others=len(others.intersection(new)))
    yield f"the process log was read again about `{clean(key)}`: {shown}"


def _shown(rows: Sequence[str], *, others: int) -> str:
    beside = f" ({others} new of other calls)" if others else ""
    match len(rows):
        case 0:
            return f"it shows no start of this call{beside}; the start may come later, so this does not settle the call"
        case 1:
            return f"it shows one new start{beside}; it is not certain that this is ours"
        case many:
            return f"it shows {many} new starts{beside}; it is not certain which one is ours"


def _known(lines: Sequence[Line], key: str) -> frozenset[str]:
    """The rows of the log that were there before the call left that is in doubt."""
    events = [line.event for line in lines]
    sent = (
        number
        for number, event in enumerate(events)
        if isinstance(event, CallSent) and event.key == key and event.effect == "once"
    )
    answers = (event.value for event in events[: max(sent, default=0)] if isinstance(event, CallAnswered))
    return frozenset(row for value in answers for row in _rows(value))


def _others(lines: Sequence[Line], key: str) -> frozenset[str]:
    """The rows of the log that belong to other calls, of this run or of other runs."""
    taken: set[str] = set()
    for line in lines:
        match line.event:
            case Asked(value={"taken": list(ids)}):
                taken.update(map(str, ids))
            case StepFinished(key=other, process_id=str(process_id)) if other != key:
                taken.add(process_id)
            case _:
                pass
    return frozenset(taken)


def _rows(value: Json) -> list[str]:
    return [str(row["id"]) for row in value if isinstance(row, dict) and "id" in row] if isinstance(value, list) else []
