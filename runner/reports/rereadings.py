"""What the process log shows of calls that stay in doubt, when it was asked again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.values import Json
from runner.reports.safe import clean
from runner.reports.words import trouble_lines
from runner.runs.events import Asked, AttemptFailed, CallAnswered, CallSent, Line, StepFinished, Trouble

_NAMED = 5  # rows that are named, at most


def read_again(lines: Sequence[Line], keys: Iterable[str], *, since: int) -> list[str]:
    """Sentences on the last reading about each row of `keys`, if there is any from line `since` on."""
    readings = _readings(lines[since:])
    return [sentence for key in keys if key in readings for sentence in _sentences(key, readings[key], lines)]


class _LogReading(Struct, frozen=True, kw_only=True):
    """What the last reading of a row came to, and which rows may be those of the call in doubt; None: not known."""

    ending: CallAnswered | AttemptFailed
    may_be: frozenset[str] | None = None


def _readings(lines: Sequence[Line]) -> dict[str, _LogReading]:
    under_way: set[str] = set()
    found: dict[str, _LogReading] = {}
    for line in lines:
        match line.event:
            case CallSent(key=key, effect="read"):
                under_way.add(key)
            case CallAnswered(key=key) | AttemptFailed(key=key) as event if key in under_way:
                under_way.remove(key)
                found[key] = _LogReading(ending=event)
            case AttemptFailed(key=key, kind="in_doubt", error=Trouble(code="E402")):  # it is known to have happened
                found.pop(key, None)
            case Asked(key=key, value={"rows": list(rows)}) if key in found:
                found[key] = replace(found[key], may_be=frozenset(map(str, rows)))
            case _:
                pass
    return found


def _sentences(key: str, reading: _LogReading, lines: Sequence[Line]) -> Iterator[str]:
    if isinstance(reading.ending, AttemptFailed):
        yield f"the process log could not be read about `{clean(key)}`"
        yield from trouble_lines(reading.ending.error)
        return
    match reading.ending.value:
        case {"status": str(status)}:
            shown = f"it shows the process as {clean(status)}; the call stays in doubt"
        case value:
            known, others = _known(lines, key), _others(lines, key)
            new = {row: started for row, started in _rows(value).items() if row not in known}
            rest = {row: started for row, started in new.items() if row not in others}
            may_be = {row: at for row, at in rest.items() if reading.may_be is None or row in reading.may_be}
            shown = _shown(may_be, others=len(new) - len(rest), at_other_times=len(rest) - len(may_be))
    yield f"the process log was read again about `{clean(key)}`: {shown}"


def _shown(rows: Mapping[str, str], *, others: int, at_other_times: int) -> str:
    counted = [(others, "new of other calls"), (at_other_times, "new at another time")]
    words = ", ".join(f"{count} {what}" for count, what in counted if count)
    beside = f" ({words})" if words else ""
    named = ", ".join(f"{clean(row)} ({clean(started)})" for row, started in [*rows.items()][:_NAMED])
    match len(rows):
        case 0:
            return f"it shows no start of this call{beside}; a start may still appear, so the call stays in doubt"
        case 1:
            return f"it shows one new start{beside}; it is not certain that this is ours: {named}"
        case many:
            more = ", …" if many > _NAMED else ""
            return f"it shows {many} new starts{beside}; it is not certain which of them is ours: {named}{more}"


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


def _rows(value: Json) -> dict[str, str]:
    """The ids of rows, with when each began."""
    rows = value if isinstance(value, list) else []
    return {str(row["id"]): str(row.get("started")) for row in rows if isinstance(row, dict) and "id" in row}
