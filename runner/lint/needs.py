"""`needs` of the jobs of one command: each names a job that is there, and none needs itself through others."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.suggestions import did_you_mean
from runner.reading.document import Document


def needs_known(documents: Iterable[Document], *, beside: Callable[[Document], Collection[str]]) -> tuple[Problem, ...]:
    """`beside` gives the names of all jobs in the folder of a job, also of those that the command does not read."""
    named = {str(name): document for document in documents if (name := record(document.data).get("name")) is not None}
    needs = {name: _needs(document) for name, document in named.items()}
    return (*_unknown(named, needs, beside), *_circles(named, needs))


def _needs(document: Document) -> list[str]:
    """Each once: the schema reports what is written twice."""
    return [*dict.fromkeys(name for name in items(record(document.data).get("needs")) if isinstance(name, str))]


def _unknown(
    named: Mapping[str, Document], needs: Mapping[str, Sequence[str]], beside: Callable[[Document], Collection[str]]
) -> Iterator[Problem]:
    for name, document in named.items():
        strange = [(index, need) for index, need in enumerate(needs[name]) if need not in named]
        known = {*named, *beside(document)} if strange else set(named)
        for index, need in strange:
            if need not in known:
                hint = did_you_mean(need, known - {name}) or "name the file of that job on the command line, too"
                yield document.problem("E186", f"there is no job `{need}`", path=("needs", index), hint=hint)


def _circles(named: Mapping[str, Document], needs: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Each circle once, at the first of its jobs."""
    left = {name: [need for need in found if need in named] for name, found in needs.items()}
    while (circle := _circle(left)) is not None:
        first = min(circle, key=[*named].index)
        at = circle.index(first)
        way = [*circle[at:], *circle[:at], first]
        message = f"a job needs itself: {' → '.join(way)}"
        hint = "take one of these needs out: none of the jobs could begin"
        yield named[first].problem("E186", message, path=("needs", needs[first].index(way[1])), hint=hint)
        left[first].remove(way[1])


def _circle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Jobs of which each needs the next, and the last the first; None where there are no such jobs."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [*reversed(error.args[1][1:])]
    return None
