"""`needs` of the jobs of a command: each names a job that is there, and none needs itself through others.

Whether a ledger knows a job whose file is gone is not known here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.suggestions import did_you_mean
from runner.reading.document import Document

_NAME_IT = (
    "name the file of that job on the command line, too; or take it out of `needs`, if there is no such job any more"
)


class MissingNeed(Struct, frozen=True, kw_only=True):
    """A job that `job` needs, and that no file has: `problem` says so, where no ledger knows it either."""

    job: str
    need: str
    problem: Problem


def missing_needs(
    documents: Iterable[Document], *, beside: Callable[[Document], Collection[str]]
) -> Iterator[MissingNeed]:
    """`beside` gives the names of all jobs in the folder of a job, also of those that the command does not read."""
    named = _named(documents)
    for name, document in named.items():
        strange = [(index, need) for index, need in enumerate(_needs(document)) if need not in named]
        known = {*named, *beside(document)} if strange else set(named)
        for index, need in strange:
            if need not in known:
                hint = did_you_mean(need.removesuffix(".job.yaml") + " ", known - {name}) or _NAME_IT
                problem = document.problem("E186", f"there is no job `{need}`", path=("needs", index), hint=hint)
                yield MissingNeed(job=name, need=need, problem=problem)


def circles(documents: Iterable[Document]) -> Iterator[Problem]:
    """Jobs that need themselves through others: each circle once, at the first of its jobs."""
    named = _named(documents)
    needs = {name: _needs(document) for name, document in named.items()}
    left = {name: [need for need in found if need in named] for name, found in needs.items()}
    while (circle := _circle(left)) is not None:
        first = min(circle, key=[*named].index)
        at = circle.index(first)
        way = [*circle[at:], *circle[:at], first]
        message = f"a job needs itself: {' → '.join(way)}"
        hint = "take one of these needs out: none of the jobs could begin"
        yield named[first].problem("E186", message, path=("needs", needs[first].index(way[1])), hint=hint)
        left[first].remove(way[1])


def _named(documents: Iterable[Document]) -> dict[str, Document]:
    return {str(name): document for document in documents if (name := record(document.data).get("name")) is not None}


def _needs(document: Document) -> list[str]:
    """Each once: the schema reports what is written twice."""
    return [*dict.fromkeys(name for name in items(record(document.data).get("needs")) if isinstance(name, str))]


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Jobs of which each needs the next, and the last the first; None where there are no such jobs."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [*reversed(error.args[1][1:])]
    return None
