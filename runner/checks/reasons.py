"""Why an expression is false, in sentences: what comes nearest to what was looked for, and how two values differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from runner.checks.nearest import nearest
from runner.checks.shown import LONGEST, HoldsSecret, shown
from runner.checks.texts import difference
from runner.expressions.explain_failure import Compared, Side, Sought, deciding, false_part
from runner.expressions.operations import counted
from runner.expressions.operators import same
from runner.expressions.parse import Expression
from runner.expressions.scope import Scope
from runner.expressions.source import dotted
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, Path, is_number, kind_of

_DEEPEST = 40


def reasons(expression: Expression, scope: Scope, holds_secret: HoldsSecret) -> Iterator[str]:
    """Sentences without a full stop, the most telling first; none where the values say it all."""
    part = false_part(expression, scope)
    if part is not None:
        yield f"its part `{part}` is false"
    for found in deciding(expression, scope):
        match found:
            case Sought():
                yield _not_found(found, holds_secret)
            case Compared(sign="=="):
                yield from _unequal(found, holds_secret)
            case Compared(sign="in"):
                yield from _not_in(found)
            case Compared():
                pass
            case _:
                assert_never(found)


def _not_found(sought: Sought, holds_secret: HoldsSecret) -> str:
    """`no record of `result` has Name == "Smoke 12"; nearest: "Smoke 1" at [0]`."""
    what = "record" if sought.attribute is not None else "item"
    return f"no {what} of `{sought.source}` {_condition(sought)}{_instead(sought, holds_secret)}"


def _condition(sought: Sought) -> str:
    verb = f"has {sought.attribute}" if sought.attribute is not None else "is"
    if sought.wanted is None:
        return f"has a true `{sought.attribute}`" if sought.sign == "true" else f"{verb} {sought.sign}"
    if sought.sign == "==" and sought.attribute is None:
        return f"is {shown(sought.wanted.value)}"
    return f"{verb} {sought.sign} {shown(sought.wanted.value)}"


def _instead(sought: Sought, holds_secret: HoldsSecret) -> str:
    """What there is in place of what was looked for."""
    if not sought.values:
        return ": it is empty"
    if sought.wanted is None:
        return ""
    word, index = _extreme(sought) if sought.sign in _LIMITS else ("nearest", _nearest(sought))
    if index is None:
        return f" among {len(sought.values):,}"
    value, wanted = sought.values[index], sought.wanted.value
    why = _kinds(value, wanted)
    if why is None and isinstance(value, str) and isinstance(wanted, str):
        why = difference(value, wanted, holds_secret)
    return f"; {word}: {shown(value)} at [{index}]" + (f" ({why})" if why else "")


def _nearest(sought: Sought) -> int | None:
    return nearest(sought.wanted.value, sought.values) if sought.wanted and sought.sign == "==" else None


_LIMITS = {">": "the largest", ">=": "the largest", "<": "the smallest", "<=": "the smallest"}


def _extreme(sought: Sought) -> tuple[str, int | None]:
    numbers = [(value, index) for index, value in enumerate(sought.values) if isinstance(value, (int, float))]
    word = _LIMITS[sought.sign]
    if not numbers:
        return word, None
    return word, (max(numbers) if word == "the largest" else min(numbers))[1]


def _unequal(compared: Compared, holds_secret: HoldsSecret) -> Iterator[str]:
    left, right = compared.left, compared.right
    parted = _parted(left, right)
    kinds = _kinds(parted.left, parted.right)
    where = f"at `{dotted((left.source, *parted.path))}` " if parted.path else ""
    if kinds is not None:
        yield f"{where}{kinds}"
    elif parted.more is not None:
        yield f"{where}{parted.more}"
    elif isinstance(parted.left, str) and isinstance(parted.right, str):
        told = difference(parted.left, parted.right, holds_secret)
        values = f"{shown(parted.left)} stands against {shown(parted.right)}" if parted.path else ""
        if told or values:
            yield where + ", and ".join(filter(None, (values, told)))
    elif parted.path:
        yield f"{where}{shown(parted.left)} stands against {shown(parted.right)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parted:
    """The first place where two values are not the same. `more`: a sentence, where one has more than the other."""

    path: Path
    left: Json
    right: Json
    more: str | None = None


def _parted(left: Side, right: Side) -> _Parted:
    path: Path = ()
    one, other = left.value, right.value
    while len(path) < _DEEPEST:
        match one, other:
            case list(), list():
                index = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if not same(a, b)), None)
                if index is None:
                    more = f"there are {counted(len(one), 'item')}, and {len(other):,} were expected"
                    return _Parted(path=path, left=one, right=other, more=more)
                path, one, other = (*path, index), one[index], other[index]
            case dict(), dict():
                lacking = _lacking(one, other)
                if lacking is not None:
                    return _Parted(path=path, left=one, right=other, more=lacking)
                key = next((key for key in other if not same(one[key], other[key])), None)
                if key is None:
                    break
                path, one, other = (*path, key), one[key], other[key]
            case _:
                break
    return _Parted(path=path, left=one, right=other)


def _lacking(one: dict[str, Json], other: dict[str, Json]) -> str | None:
    missing, surplus = [key for key in other if key not in one], [key for key in one if key not in other]
    if not missing and not surplus:
        return None
    lacks = f"the key `{missing[0]}` is missing" if missing else ""
    has = f"the key `{surplus[0]}` was not expected" if surplus else ""
    return ", and ".join(filter(None, (lacks, has)))


def _kinds(value: Json, wanted: Json) -> str | None:
    """The types, where they tell two values apart that look alike or that can never be equal."""
    if kind_of(value) == kind_of(wanted) or value is None or wanted is None:
        return None
    return f"{_typed(value)} stands against {_typed(wanted)}"


def _typed(value: Json) -> str:
    kind = kind_of(value)
    if isinstance(value, str) and len(value) > LONGEST:
        return shown(value)
    return f"the {kind[2:]} {shown(value)}" if isinstance(value, (str, bool)) or is_number(value) else kind


def _not_in(compared: Compared) -> Iterator[str]:
    """Of a text or a record; a list is sought in."""
    item, container = compared.left.value, compared.right.value
    if isinstance(container, str) and isinstance(item, str):
        at = container.casefold().find(item.casefold())
        if at >= 0:
            yield f"it stands there in another case, at character {at + 1:,}"
    if isinstance(container, dict) and isinstance(item, str):
        near = suggest(item, container)
        if near is not None:
            yield f"the nearest key is `{near}`"
