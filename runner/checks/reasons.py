"""Why an expression is false, in sentences: what comes nearest to what was searched for, and how two values differ."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final, assert_never

from runner.checks.shown import LONGEST, HoldsSecret, shown
from runner.expressions.evaluate import Scope
from runner.expressions.explain import FailedSearch, FalseComparison, false_operand, false_parts
from runner.expressions.operators import same
from runner.expressions.parse import Expression
from runner.expressions.source import dotted
from runner.foundation.sentences import plural
from runner.foundation.suggestions import LONGEST_NAME, most_alike, suggest
from runner.foundation.values import Json, ValuePath, compact, is_number, kind_of

_DEEPEST = 40
_NEAR = 0.6  # how alike two texts must be, from 0 to 1, for the second to be shown for the first
_EXTREMES: Final = {">": "the largest", ">=": "the largest", "<": "the smallest", "<=": "the smallest"}


def reasons(expression: Expression, scope: Scope, holds_secret: HoldsSecret) -> Iterator[str]:
    """Sentences without a full stop, the most useful first; none where the values say it all."""
    operand = false_operand(expression, scope)
    if operand is not None:
        yield f"its part `{operand}` is false"
    for part in false_parts(expression, scope):
        match part:
            case FailedSearch():
                yield _not_found(part, holds_secret)
            case FalseComparison(sign="=="):
                yield from _unequal(part, holds_secret)
            case FalseComparison(sign="in"):
                yield from _not_in(part.left.value, part.right.value)
            case FalseComparison():
                pass
            case _:
                assert_never(part)


def _not_found(search: FailedSearch, holds_secret: HoldsSecret) -> str:
    """`no record of `result` has Name == "Smoke 12"; nearest: "Smoke 1" at [1]`."""
    what = "record" if search.attribute is not None else "item"
    return f"no {what} of `{search.source}` {_condition(search)}{_instead(search, holds_secret)}"


def _condition(search: FailedSearch) -> str:
    verb = f"has {search.attribute}" if search.attribute is not None else "is"
    if search.wanted is None:
        return f"has a true `{search.attribute}`" if search.sign == "true" else f"{verb} {search.sign}"
    if search.sign == "==" and search.attribute is None:
        return f"is {shown(search.wanted.value)}"
    return f"{verb} {search.sign} {shown(search.wanted.value)}"


def _instead(search: FailedSearch, holds_secret: HoldsSecret) -> str:
    """What was found in place of the searched value."""
    if not search.values:
        return ": it is empty"
    if search.wanted is None:
        return ""
    wanted, word = search.wanted.value, _EXTREMES.get(search.sign, "nearest")
    if word != "nearest":
        index = _extreme(search.values, largest=word == "the largest")
    else:
        index = nearest(wanted, search.values) if search.sign == "==" else None
    if index is None:
        return f" among {len(search.values):,}"
    value = search.values[index]
    why = _kinds(value, wanted)
    if why is None and isinstance(value, str) and isinstance(wanted, str):
        why = difference(value, wanted, holds_secret)
    return f"; {word}: {shown(value)} at [{index}]" + (f" ({why})" if why else "")


def _extreme(values: Sequence[Json], *, largest: bool) -> int | None:
    numbers = [(value, index) for index, value in enumerate(values) if isinstance(value, (int, float))]
    return (max(numbers) if largest else min(numbers))[1] if numbers else None


def nearest(wanted: Json, values: Sequence[Json]) -> int | None:
    if isinstance(wanted, str):
        return _nearest_text(wanted, values)
    if not is_number(wanted):
        return None
    distances = [(abs(value - wanted), index) for index, value in enumerate(values) if is_number(value)]
    return min(distances)[1] if distances else None


def _nearest_text(wanted: str, values: Sequence[Json]) -> int | None:
    folded = _folded(wanted)
    texts = [(index, _folded(value)) for index, value in enumerate(values) if isinstance(value, str)]
    equal = next((index for index, text in texts if text == folded), None)
    if equal is not None:
        return equal
    found = most_alike(folded, [text for _, text in texts], least=_NEAR)
    return None if found is None else texts[found][0]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()) if len(text) <= LONGEST_NAME else text


def _unequal(comparison: FalseComparison, holds_secret: HoldsSecret) -> Iterator[str]:
    """How the two values differ at the first place where they do."""
    path, left, right = first_difference(comparison.left.value, comparison.right.value)
    values = f"{shown(left)} is not {shown(right)}" if path else ""
    why: str | None = _kinds(left, right)
    match left, right:
        case _ if why is not None:
            values = ""
        case list(), list():
            why, values = f"there are {plural(len(left), 'item')}, and {len(right):,} were expected", ""
        case dict(), dict():
            why, values = _keys(left, right), ""
        case str(), str():
            why = difference(left, right, holds_secret)
    sentence = ", and ".join(filter(None, (values, why)))
    if sentence:
        yield f"at `{dotted((comparison.left.source, *path))}` {sentence}" if path else sentence


def first_difference(left: Json, right: Json) -> tuple[ValuePath, Json, Json]:
    """The path to it, and both values there; lists and records that lack something are not entered."""
    path: ValuePath = ()
    while len(path) < _DEEPEST:
        key: str | int | None = None
        match left, right:
            case list(), list():
                key = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if not same(a, b)), None)
            case dict(), dict() if left.keys() == right.keys():
                key = next((name for name in right if not same(left[name], right[name])), None)
        if key is None:
            break
        path, left, right = (*path, key), _at(left, key), _at(right, key)
    return path, left, right


def _at(value: Json, key: str | int) -> Json:
    if isinstance(value, list):
        return value[int(key)]
    assert isinstance(value, dict)
    return value[str(key)]


def _keys(left: dict[str, Json], right: dict[str, Json]) -> str:
    missing = next((f"the key `{key}` is missing" for key in right if key not in left), None)
    surplus = next((f"the key `{key}` was not expected" for key in left if key not in right), None)
    return ", and ".join(filter(None, (missing, surplus)))


def _kinds(value: Json, wanted: Json) -> str | None:
    """The types, where they explain why two values that look alike are not equal."""
    if kind_of(value) == kind_of(wanted) or value is None or wanted is None:
        return None
    return f"{_typed(value)} is not {_typed(wanted)}"


def _typed(value: Json) -> str:
    kind = kind_of(value)
    if isinstance(value, str) and len(value) > LONGEST:
        return shown(value)
    return f"the {kind[2:]} {shown(value)}" if isinstance(value, (str, bool)) or is_number(value) else kind


def _not_in(item: Json, container: Json) -> Iterator[str]:
    """Why an item is not in a text or a record."""
    if isinstance(container, str) and isinstance(item, str):
        at = container.casefold().find(item.casefold())
        if at >= 0:
            yield f"it is there in another case, at character {at + 1:,}"
    if isinstance(container, dict) and isinstance(item, str):
        near = suggest(item, container)
        if near is not None:
            yield f"the nearest key is `{near}`"


_BEFORE = 12  # characters that both texts share and that are shown before the place where they part
_SHOWN = 40
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
    """The first characters that differ, with their names where a reader would not see which they are."""
    start, _ = _common(left, right)
    return f": at character {start + 1:,} {_named(left[start:])} is not {_named(right[start:])}"


def _named(rest: str) -> str:
    if not rest:
        return "its end"
    letter = rest[0]
    if letter.isascii() and letter.isprintable() and not letter.isspace():
        return f"`{letter}`"
    return f"U+{ord(letter):04X} ({unicodedata.name(letter, repr(letter)[1:-1]).lower()})"


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
    more = f" (and {plural(len(differing) - len(cut), 'character')} more)" if len(cut) < len(differing) else ""
    before, after = "…" if first else "", "…" if end or more else ""
    return f'"{before}{cut_out}{after}"{more}'
