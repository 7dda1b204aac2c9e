"""A filter is a record: its function, what it takes and gives, and its words for the docs; the same for a test."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import Value
from runner.expressions.type_check import TypeCheck, TypedPart
from runner.expressions.typed import ANYTHING, BOOLEAN, LIST, NULL, NUMBER, RECORD, TEXT, UNKNOWN, Type
from runner.foundation.sentences import joined_by_or
from runner.foundation.values import Json, kind_of

_KINDS: Mapping[type, int] = {
    str: TEXT,
    int: NUMBER,
    float: NUMBER,
    bool: BOOLEAN,
    list: LIST,
    dict: RECORD,
    type(None): NULL,
}
_WORDS = {LIST: "a list", TEXT: "a text", RECORD: "a record", NUMBER: "a number"}


class Arguments(Struct, frozen=True, kw_only=True):
    """The types of the arguments of a filter or test; `attribute` is the type of that part of each item."""

    given: tuple[TypedPart, ...] = ()
    named: Mapping[str, TypedPart] = field(default_factory=dict)
    attribute: Type = UNKNOWN

    def at(self, position: int, name: str) -> TypedPart | None:
        return self.given[position] if position < len(self.given) else self.named.get(name)

    def after(self, number: int) -> "Arguments":
        return Arguments(given=self.given[number:], named=self.named)


Gives: TypeAlias = "Type | Callable[[TypedPart, Arguments, TypeCheck], Type]"
"""The type of what a filter gives, or how that is found from the types of what it is given."""


class Filter(Struct, frozen=True, kw_only=True):
    """A filter. With an argument `default` the key `attribute` may be missing."""

    call: Callable[..., Value]
    about: str  # what it gives
    takes: int = ANYTHING  # kinds of values
    gives: Gives = UNKNOWN
    heavy: bool = False  # it makes much of each character
    pattern: bool = False  # its first argument is a pattern
    quotes: bool | None = None  # whether a `'` may be in what it gives; None: it depends


class ValueTest(Struct, frozen=True, kw_only=True):
    """A test. `kind` is set where it asks for a kind of value, `comparison` where it compares."""

    call: Callable[..., bool]
    takes: int = ANYTHING
    kind: int = 0
    comparison: str = ""
    pattern: bool = False


def check_kind(name: str, takes: int, value: Json) -> None:
    """Refuse a value that a filter does not take. Raises `EvaluationError`."""
    if not _KINDS[type(value)] & takes:
        hint = None
        if takes == LIST and isinstance(value, dict):
            hint = f"`| items | {name}` takes its pairs, `| list | {name}` its keys"
        raise EvaluationError(f"`{name}` takes {kinds_in_words(takes)}, not {kind_of(value)}", hint=hint)


def kinds_in_words(takes: int) -> str:
    """`a list, a text or a record`."""
    return joined_by_or([word for kind, word in _WORDS.items() if takes & kind])


def parameters(call: Callable[..., object]) -> tuple[tuple[str, ...], int]:
    """The names of the arguments after the value, and how many of them must be given."""
    code = call.__code__
    names = code.co_varnames[1 : code.co_argcount]
    return names, len(names) - len(call.__defaults__ or ())


def misused(name: str, call: Callable[..., object], positional: int, keywords: Sequence[str]) -> str | None:
    """What is wrong with calling `name` with so many arguments and these keywords, or None."""
    names, needs = parameters(call)
    unknown = next((word for word in keywords if word not in names), None)
    if unknown is not None:
        known = ", ".join(f"`{word}`" for word in names)
        return f"`{name}` has no argument `{unknown}`" + (f"; it has {known}" if known else "")
    given = {*names[:positional], *keywords}
    if positional > len(names) or len(given) < positional + len(keywords):
        return f"`{name}` takes {amount(len(names), needs)}, here are {positional + len(keywords)}"
    lacking = next((word for word in names[:needs] if word not in given), None)
    return None if lacking is None else f"`{name}` needs its argument `{lacking}`"


def amount(most: int, needs: int) -> str:
    if most == 0:
        return "no argument"
    noun = "argument" if most == 1 else "arguments"
    return f"{most} {noun}" if needs == most else f"{needs} to {most} {noun}"
