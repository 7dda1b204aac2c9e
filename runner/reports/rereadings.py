"""What the process log shows of calls that stay in doubt, when it was asked again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runner.foundation.sentences import plural
from runner.foundation.values import Json
from runner.reports.safe import clean
from runner.reports.words import trouble_lines
from runner.runs.events import Asked, AttemptFailed, CallAnswered, CallSent, Line, StepFinished, Trouble

_NAMED = 5  # rows that are named, at most


def read_again(lines: Sequence[Line], keys: Iterable[str], *, since: int) -> list[str]:
    """Sentences on the last reading about each row of `keys`, if there is any from line `since` on."""
    return [sentence for key in keys for sentence in _sentences(lines, key, since)]


def _sentences(lines: Sequence[Line], key: str, since: int) -> Iterator[str]:
    ending, may_be = _last_reading(lines[since:], key)
    match ending:
        case None:
            return
        case AttemptFailed(error=error):
            yield f"the process log could not be read about `{clean(key)}`"
            yield from trouble_lines(error)
            return
        case CallAnswered(value={"status": str(status)}):
            shown = f"it shows the process as {clean(status)}; the call stays in doubt"
        case CallAnswered(value=value):
            known, others = _known(lines, key), _others(lines, key)
            new = {row: started for row, started in _rows(value).items() if row not in known}
            own = {row: at for row, at in new.items() if row not in others and (may_be is None or row in may_be)}
            shown = _shown(own, others=len(new) - len(own))
    yield f"the process log was read again about `{clean(key)}`: {shown}"


def _last_reading(lines: Sequence[Line], key: str) -> tuple[CallAnswered | AttemptFailed | None, set[str] | None]:
    """What the last reading about a row came to, and which rows may be those of the call in doubt; None: not known."""
    is_read, ending, may_be = False, None, None
    for event in (line.event for line in lines if getattr(line.event, "key", None) == key):
        match event:
            case CallSent(effect="read"):
                is_read = True
            case CallAnswered() | AttemptFailed() if is_read:
                is_read, ending, may_be = False, event, None
            case AttemptFailed(kind="in_doubt", error=Trouble(code="E402")):  # it is known to have happened
                ending = None
            case Asked(value={"rows": list(rows)}):
                may_be = set(map(str, rows))
            case _:
                pass
    return ending, may_be


def _shown(rows: Mapping[str, str], *, others: int) -> str:
    beside = f" ({others} new of other calls, or at another time)" if others else ""
    if not rows:
        return f"it shows no start of this call{beside}; a start may still appear, so the call stays in doubt"
    named = ", ".join(f"{clean(row)} ({clean(started)})" for row, started in [*rows.items()][:_NAMED])
    more = ", …" if len(rows) > _NAMED else ""
    return f"it shows {plural(len(rows), 'new start')}{beside} that may be ours, which is not certain: {named}{more}"


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
