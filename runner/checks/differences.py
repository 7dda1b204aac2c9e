"""How two texts differ: in a way that is easily missed, or from which character on."""

import unicodedata
from itertools import takewhile

from runner.checks.shown import LONGEST, HoldsSecret
from runner.foundation.sentences import many
from runner.foundation.values import compact

_BEFORE = 12  # characters that both texts share and that are shown before the place where they part
_SHOWN = 40
_CALLED = {" ": "a blank", "\n": "a line break", "\r": "a carriage return", "\t": "a tab"}
_EASILY_SEEN = 40  # of shorter texts a reader sees by himself where they differ


def difference(left: str, right: str, holds_secret: HoldsSecret) -> str | None:
    """How two texts differ beyond what everybody sees; None where there is no more to say."""
    kind = _overlooked(left, right)
    secret = holds_secret(left) or holds_secret(right)
    if kind is not None:
        return kind if secret else f"{kind}{_first_odd(left, right)}"
    if max(len(left), len(right)) <= _EASILY_SEEN or not left or not right:
        return None
    start, end = _common(left, right)
    place = f"they differ from character {start + 1:,} on"
    if secret or max(len(left), len(right)) <= LONGEST:
        return place
    return f"{place}: {_window(left, start, end)} against {_window(right, start, end)}"


def _overlooked(left: str, right: str) -> str | None:
    if left.strip() == right.strip():
        return "they differ in blanks at an end only"
    if "".join(left.split()) == "".join(right.split()):
        return "they differ in blanks only"
    if left.casefold() == right.casefold():
        return "they differ in upper and lower case only"
    if _plain(left) == _plain(right):
        return "they differ in characters that look alike or cannot be seen"
    return None


def _plain(text: str) -> str:
    """`text` as it looks: without characters that have no width, composed alike, every blank the same."""
    seen = "".join(letter for letter in text if unicodedata.category(letter) not in {"Cf", "Cc"})
    return "".join(unicodedata.normalize("NFKC", seen).split())


def _first_odd(left: str, right: str) -> str:
    """The first character that differs, with its name where that helps."""
    start, _ = _common(left, right)
    names = [_named(text, start) for text in (left, right)]
    if all(name in {"a blank", "its end"} or name.startswith("`") for name in names):
        return f", at character {start + 1:,}"
    return f": at character {start + 1:,} {names[0]} is not {names[1]}"


def _named(text: str, index: int) -> str:
    if index >= len(text):
        return "its end"
    letter = text[index]
    if letter in _CALLED:
        return _CALLED[letter]
    if letter.isascii() and letter.isprintable():
        return f"`{letter}`"
    return f"U+{ord(letter):04X} ({unicodedata.name(letter, 'a control character').lower()})"


def _common(left: str, right: str) -> tuple[int, int]:
    """How many characters are the same at the start, and, after these, at the end."""
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    rest = min(len(left), len(right)) - start
    ends = zip(reversed(left), reversed(right), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    return start, min(same, rest)


def _window(text: str, start: int, end: int) -> str:
    """What differs, with a little before it, and how much there is of it."""
    first = max(start - _BEFORE, 0)
    differing = text[start : len(text) - end]
    cut = differing[:_SHOWN]
    cut_out = compact(text[first:start] + cut)[1:-1]
    more = f" (and {many(len(differing) - len(cut), 'character')} more)" if len(cut) < len(differing) else ""
    before, after = "…" if first else "", "…" if end or more else ""
    return f'"{before}{cut_out}{after}"{more}'
