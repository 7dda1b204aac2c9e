"""The name that a variable of the environment has with one slip of the keyboard.

An environment holds what others have put there, for other jobs and other programs, so that only a letter left out,
typed twice or swapped with its neighbour counts: `DATE` is not `DATA` mistyped, nor `CONTRACT` `CONTACT`.
"""

from collections.abc import Collection, Iterator

from runner.foundation.near_misses import folded, near

_SHORTEST = 4
"""Shorter words are near to too many others."""


def mistyped(word: str, known: Collection[str]) -> str | None:
    """The one of `known` that `word` is with one slip, its digits the same."""
    bare, digits = folded(word), [*filter(str.isdigit, word)]
    slipped = (
        name
        for name in sorted(name for _, name in near(word, known, slips=1))
        if name != word and [*filter(str.isdigit, name)] == digits and bare in _with_a_slip(folded(name))
    )
    return next(slipped, None)


def _with_a_slip(name: str) -> Iterator[str]:
    yield name
    for at, letter in enumerate(name if len(name) >= _SHORTEST else ""):
        before, after = name[:at], name[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        yield before + after[:1] + letter + after[1:]
