"""How a filter, a test or a function may be called, read from the Python function that carries it out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Called(Generic[T]):
    """`call` takes the value first, then arguments named `takes`, of which the first `needs` must be given."""

    call: Callable[..., T]
    takes: tuple[str, ...]
    needs: int


def called(function: Callable[..., T]) -> Called[T]:
    code = function.__code__
    takes = code.co_varnames[1 : code.co_argcount]
    return Called(function, takes, len(takes) - len(function.__defaults__ or ()))


def misused(name: str, callee: Called[T], positional: int, keywords: Sequence[str]) -> str | None:
    """What is wrong with calling `name` with so many arguments and these keywords, or None."""
    unknown = next((word for word in keywords if word not in callee.takes), None)
    if unknown is not None:
        known = ", ".join(f"`{word}`" for word in callee.takes)
        return f"`{name}` has no argument `{unknown}`" + (f"; it has {known}" if known else "")
    given = {*callee.takes[:positional], *keywords}
    if positional > len(callee.takes) or len(given) < positional + len(keywords):
        return f"`{name}` takes {amount(callee.takes, callee.needs)}, here are {positional + len(keywords)}"
    lacking = next((word for word in callee.takes[: callee.needs] if word not in given), None)
    return None if lacking is None else f"`{name}` needs its argument `{lacking}`"


def amount(takes: Sequence[str], needs: int) -> str:
    most = len(takes)
    if most == 0:
        return "no argument"
    noun = "argument" if most == 1 else "arguments"
    return f"{most} {noun}" if needs == most else f"{needs} to {most} {noun}"
