"""Codes by what they speak of: their number says so."""

from itertools import groupby

from runner.explanations.read import titles

_GROUPS = (
    ("E100", "files, and what is in them"),
    ("E120", "templates and expressions"),
    ("E130", "inputs and cases"),
    ("E140", "targets, and what they have"),
    ("E150", "the command line, and stored runs"),
    ("E160", "guards"),
    ("E170", "catalogues, and the types that flow from them"),
    ("E180", "what a command selects"),
    ("E181", "runs that are not settled"),
    ("E182", "calls of stored runs"),
    ("E183", "versions that were applied"),
    ("E187", "what has changed in git"),
    ("E191", "packages, and the processes in them"),
    ("E197", "processes that are watched"),
    ("E201", "what the process, an expectation or a person decided"),
    ("E301", "no usable answer"),
    ("E401", "nobody knows, or a result is lost"),
    ("E700", "a fault of this program"),
)


def group(code: str) -> str:
    """What the codes around `code` have in common."""
    return [words for first, words in _GROUPS if first <= code][-1]


def grouped() -> list[tuple[str, list[str]]]:
    """The codes by their groups, in the order of their numbers."""
    return [(words, list(found)) for words, found in groupby(titles(), key=group)]
