"""How a hole is written: what a secret leaves in a text.

U+E000 and `[inputs.token]`; in another spelling `[inputs.token|url]`; without three characters that another secret took
`[inputs.token|url|3]`; shortened to twenty `[inputs.token|url|0|20]`. The mark itself is doubled.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern

MARK = "\ue000"
PLAIN = "plain"

_GUARD = "\ue001"
_TOKEN = lazy_pattern(r"\ue000(?:\ue000|\[\ue001([^\]]*)\]\ue001|\[([^\]\ue001]*)\])")
"""A doubled mark, a guarded hole, or a hole."""
_RESERVED = lazy_pattern(r"[%|\[\]\ue000\ue001]")
_ESCAPED = lazy_pattern(r"%([0-9a-f]{4})")
_DIGITS = lazy_pattern(r"[0-9]{1,9}")


class Hole(Struct, frozen=True):
    """A hole of a secret: its spelling from the character `skipped` to `end`."""

    name: str
    spelling: str = PLAIN
    skipped: int = 0
    end: int | None = None


TextPart: TypeAlias = str | Hole


def put_together(parts: Iterable[TextPart], *, guarded: bool) -> str:
    """A text of texts and holes. `guarded`: private characters in a hole keep it from holding or making a secret."""
    return "".join(
        part.replace(MARK, MARK * 2) if isinstance(part, str) else _hole(part, guarded=guarded) for part in parts
    )


def taken_apart(text: str) -> Iterator[TextPart]:
    reached = 0
    for token in _TOKEN.finditer(text):
        yield text[reached : token.start()]
        yield MARK if token[0] == MARK * 2 else _read(token[1] or token[2] or "")
        reached = token.end()
    yield text[reached:]


def _hole(hole: Hole, *, guarded: bool) -> str:
    label = _RESERVED.sub(lambda found: f"%{ord(found[0]):04x}", hole.name)
    if hole.spelling != PLAIN or hole.skipped or hole.end is not None:
        label += f"|{hole.spelling}"
    if hole.skipped or hole.end is not None:
        label += f"|{hole.skipped}"
    if hole.end is not None:
        label += f"|{hole.end}"
    return f"{MARK}[{_GUARD}{_GUARD.join(label)}]{_GUARD}" if guarded else f"{MARK}[{label}]"


def _read(label: str) -> Hole:
    name, _, way = label.replace(_GUARD, "").partition("|")
    spelling, _, part = way.partition("|")
    skipped, _, end = part.partition("|")
    name = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)
    return Hole(name, spelling or PLAIN, _number(skipped) or 0, _number(end))


def _number(digits: str) -> int | None:
    return int(digits) if _DIGITS.fullmatch(digits) else None
