"""`needs` of the jobs of one command: each names a job that is there, and none needs itself through others."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

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
    stuck = _without_ends(needs)
    stuck &= _without_ends(_reversed(needs, stuck))
    done: set[str] = set()
    for name in (name for name in named if name in stuck):
        way = () if name in done else _way_back(name, needs)
        done.update(way)
        if way:
            message = f"a job needs itself: {' → '.join(way)}"
            hint = "take one of these needs out: none of the jobs could begin"
            yield named[name].problem("E186", message, path=("needs", needs[name].index(way[1])), hint=hint)


def _reversed(needs: Mapping[str, Sequence[str]], names: Collection[str]) -> dict[str, list[str]]:
    """For each of these jobs those of them that need it."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for need in needs[name]:
            if need in found:
                found[need].append(name)
    return found


def _without_ends(needs: Mapping[str, Sequence[str]]) -> set[str]:
    """The jobs that are left when those without needs are taken away, again and again."""
    needed_by = _reversed(needs, needs)
    left = {name: {need for need in found if need in needs} for name, found in needs.items()}
    ends = [name for name, found in left.items() if not found]
    while ends:
        end = ends.pop()
        del left[end]
        for other in needed_by[end]:
            left[other].discard(end)
            if not left[other]:
                ends.append(other)
    return set(left)


def _way_back(first: str, needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The shortest way from a job back to itself; empty where there is none."""
    came_from: dict[str, str] = {}
    names = deque([first])
    while names:
        name = names.popleft()
        for need in needs.get(name, ()):
            if need == first:
                way = [first, name]
                while way[-1] != first:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if need not in came_from:
                came_from[need] = name
                names.append(need)
    return ()
