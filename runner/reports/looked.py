"""What came of asking the process log again about calls that stay in doubt.

What a row says of itself was found out first, perhaps by an earlier command; the log may say another thing by now.
"""

from collections.abc import Iterable, Sequence

from runner.foundation.values import Json
from runner.reports.safe import clean
from runner.reports.words import of_trouble
from runner.runs.events import Asked, AttemptFailed, CallAnswered, CallSent, Line, StepFinished


def looked_again(lines: Sequence[Line], keys: Iterable[str], *, since: int) -> list[str]:
    """Sentences on each row of `keys`, as the last reading about it went; none where nothing was read about it.

    Readings count from line `since` on, where a command has gone on with the run.
    """
    readings = _readings(lines[since:])
    asked = [key for key in keys if key in readings]
    return [
        sentence for key in asked for sentence in _told(key, readings[key], _known(lines, key), _others(lines, key))
    ]


def _readings(lines: Sequence[Line]) -> dict[str, CallAnswered | AttemptFailed]:
    """What the last call of each row came to, where that changed nothing."""
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


def _known(lines: Sequence[Line], key: str) -> frozenset[str]:
    """The rows of the log that were there before the call left that is in doubt."""
    events = [line.event for line in lines]
    sent = [number for number, event in enumerate(events) if isinstance(event, CallSent) and event.key == key]
    left = max((number for number in sent if _may_not_happen_twice(events[number])), default=0)
    answers = [event.value for event in events[:left] if isinstance(event, CallAnswered)]
    return frozenset(row for value in answers for row in _rows(value))


def _others(lines: Sequence[Line], key: str) -> frozenset[str]:
    """The rows of the log that belong to other calls, of this run or of other ones."""
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


def _may_not_happen_twice(event: object) -> bool:
    return isinstance(event, CallSent) and event.effect == "once"


def _rows(value: Json) -> list[str]:
    return [str(row["id"]) for row in value if isinstance(row, dict) and "id" in row] if isinstance(value, list) else []


def _told(key: str, reading: CallAnswered | AttemptFailed, known: frozenset[str], others: frozenset[str]) -> list[str]:
    if isinstance(reading, AttemptFailed):
        return [f"the process log could not be read about `{clean(key)}`", *of_trouble(reading.error)]
    match reading.value:
        case {"status": str(status)}:
            shown = f"it shows the process as {clean(status)}, which settles nothing more"
        case value:
            since = [row for row in _rows(value) if row not in known]
            shown = _shown([row for row in since if row not in others], others=len(others.intersection(since)))
    return [f"the process log was read again about `{clean(key)}`: {shown}"]


def _shown(rows: Sequence[str], *, others: int) -> str:
    beside = f" ({others} since of other calls)" if others else ""
    match len(rows):
        case 0:
            return f"it shows no start of it{beside}, which proves nothing"
        case 1:
            return f"it shows one start since{beside}, which does not settle it"
        case many:
            return f"it shows {many} starts since{beside}, and does not tell which is ours"
