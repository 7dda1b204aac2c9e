"""What expressions see of the world around them, and finding a value in it by its path."""

from collections.abc import Callable, Mapping
from typing import cast

from msgspec import Struct, field

from runner.expressions.operations import Absent, Value, member
from runner.expressions.source import dotted
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, Path


class Scope(Struct, frozen=True, kw_only=True):
    """What expressions see. `missing` says, of a known path without a value, why: a whole sentence."""

    names: Mapping[str, Json]
    functions: Mapping[str, Callable[..., Json]] = field(default_factory=dict)
    missing: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def part_of(scope: Scope, path: Path) -> Value:
    """The value at `path`, or its absence."""
    value: Json = None
    for depth, key in enumerate(path):
        if depth == 0:
            if key not in scope.names:
                return unknown(str(key), scope)
            value = scope.names[str(key)]
        elif isinstance(value, dict) and key in value:
            value = value[str(key)]
        elif type(value) is list and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            found = member(value, key, parent=dotted(path[:depth]), where=dotted(path[: depth + 1]))
            if isinstance(found, Absent):
                return explained(found, path[: depth + 1], scope)
            value = found
    return value


def unknown(name: str, scope: Scope) -> Absent:
    """The absence of a name that the scope does not have."""
    near = suggest(name, scope.names)
    return Absent(name, sentence=f"there is no `{name}` here" + (f"; `{near}` is near" if near else ""))


def explained(absent: Absent, path: Path, scope: Scope) -> Absent:
    """`absent`, with the scope's own sentence where it knows why there is nothing at `path`."""
    sentence = scope.missing.get(cast("tuple[str, ...]", path)) if scope.missing else None
    return absent if sentence is None else Absent(absent.where, sentence=sentence)
