"""Values in a message: whole, or with their size. A text with a secret is not cut: half of it would not be hidden."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from runner.foundation.sentences import plural
from runner.foundation.values import Json, compact

HoldsSecret: TypeAlias = Callable[[str], bool]
"""Whether a secret, in any of its spellings, is in a text, so that it may be shown whole only."""

LONGEST = 120  # characters of a value that is shown whole
MOST = 600  # characters of a message, more or less: a sentence is written whole or not at all
_SHORTEST = 20
_START = 200
_START_OF_MANY = 80


def always(_text: str) -> bool:
    """For who knows no secrets: then no text is shown in part."""
    return True


def shown(value: Json) -> str:
    """`value` in a sentence: JSON, of long lists and records the first parts that fit, of long texts the length."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"a text of {plural(len(value), 'character')}"
    written = _json(value, LONGEST)
    if isinstance(value, (list, dict)) and written[-2:-1] == "…":
        return f"{written} ({plural(len(value), 'item' if isinstance(value, list) else 'key')})"
    return written


def shown_start(value: Json, holds_secret: HoldsSecret) -> str:
    """A value as `shown`, or the start of a long text."""
    if not isinstance(value, str) or len(value) <= LONGEST or holds_secret(value):
        return shown(value)
    return f'{compact(value[:_START_OF_MANY])[:-1]}…" ({plural(len(value), "character")})'


def shortened(text: str, holds_secret: HoldsSecret, *, instead: str) -> str:
    """`text`, of a long text its start; `instead` where a secret is in it."""
    if len(text) <= _START:
        return text
    return instead if holds_secret(text) else f"{text[:_START]}…"


def as_many_as_fit(start: str, parts: Iterable[str]) -> list[str]:
    """The `parts` that fit after `start`, in their order, without parts that are too long."""
    room = MOST - len(start)
    fitting = []
    for part in parts:
        if len(part) <= room:
            fitting.append(part)
            room -= len(part) + 2
    return fitting


def _json(value: Json, room: int) -> str:
    """JSON of about `room` characters; scalars are whole, and `…` is in place of parts that have no room."""
    match value:
        case str() if len(value) > max(room, _SHORTEST):
            return f"⟨{plural(len(value), 'character')}⟩"
        case list():
            return f"[{_some((('', item) for item in value), room - 1)}]"
        case dict():
            return f"{{{_some(((compact(key) + ':', item) for key, item in value.items()), room - 1)}}}"
        case _:
            return compact(value)


def _some(parts: Iterable[tuple[str, Json]], room: int) -> str:
    shown_parts: list[str] = []
    for key, item in parts:
        if room <= 0:
            shown_parts.append("…")
            break
        shown_parts.append(key + _json(item, room))
        room -= len(shown_parts[-1]) + 1
    return ",".join(shown_parts)
