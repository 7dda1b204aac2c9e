"""The doubles of one folder as families: a root, its versions, and which of them is active.

A root without `active` is active where no version of it is, so that a version is added by a file of its own, and the
root's file stays as it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from runner.foundation.problems import Problem
from runner.foundation.raw import record
from runner.foundation.suggestions import did_you_mean
from runner.reading.document import Document
from runner.sandbox.doubles import Double

_Read = Mapping[str, tuple[Double, Document]]


def settled(found: _Read) -> tuple[dict[str, Double], tuple[Problem, ...]]:
    """The doubles by their codes, of each family one that is active at most, and what is wrong with families.

    A version of nothing is left out.
    """
    wrong = {code: problem for code in found if (problem := _without_root(code, found)) is not None}
    families: dict[str, list[str]] = {}
    for code, (double, _) in found.items():
        if code not in wrong:
            families.setdefault(double.root, []).append(code)
    active = {_active(root, family, found) for root, family in families.items()}
    processes = {code: replace(double, active=code in active) for code, (double, _) in found.items()}
    twice = [problem for family in families.values() for problem in _twice(family, found)]
    return {code: one for code, one in processes.items() if code not in wrong}, (*wrong.values(), *twice)


def _without_root(code: str, found: _Read) -> Problem | None:
    double, document = found[code]
    if double.of is None:
        return None
    if double.of not in found:
        roots = [known for known, (other, _) in found.items() if other.of is None]
        message = f"no double here is of `{double.of}`, of which this is a version"
        hint = did_you_mean(double.of, roots) or f"write a double of `{double.of}`, or leave `of` out"
        return document.problem("E126", message, path=("of",), hint=hint)
    root = found[double.of][0].of
    if root is None:
        return None
    message = f"`{double.of}` is a version itself, and no root"
    return document.problem("E107", message, path=("of",), hint=f"write `of: {root}`: all versions name their root")


def _active(root: str, family: list[str], found: _Read) -> str | None:
    """The version that says so, else the root, unless it says that it is not."""
    said = [code for code in family if code != root and found[code][0].active]
    return said[0] if said else root if found[root][0].active else None


def _twice(family: list[str], found: _Read) -> Iterator[Problem]:
    """Two that are said to be active, and two of one number."""
    numbers: dict[int, str] = {}
    active: str | None = None
    for code in family:
        double, document = found[code]
        other = numbers.setdefault(double.version, code)
        if other != code:
            message = f"version {double.version} of `{double.root}` is `{other}` already, in {found[other][0].file}"
            path = ("version",) if "version" in record(document.data) else ("process",)
            yield document.problem("E111", message, path=path, hint="each version has a number of its own")
        if record(document.data).get("active") is not True:
            continue
        if active is not None:
            message = f"two versions of `{double.root}` are active: this, and `{active}` in {found[active][0].file}"
            yield document.problem("E111", message, path=("active",), hint="a call runs the one that is active")
        active = active or code
