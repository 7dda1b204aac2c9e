"""What takes several jobs or files to see: names of jobs, targets, and `needs`. A ledger may know other jobs."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from runner.foundation.problems import Problem
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import items, record
from runner.reading.document import Document

_NAME_IT = (
    "name the file of that job on the command line, too; or take it out of `needs`, if there is no such job any more"
)


def names_unique(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """Jobs of a command that have the same name: the problem is in the second."""
    first: dict[str, str] = {}
    found = []
    for document in documents:
        name = record(document.data).get("name")
        if isinstance(name, str) and first.setdefault(name, document.file) != document.file:
            message = f"two jobs are called `{name}`: here and in {first[name]}"
            found.append(document.problem("E111", message, path=("name",), hint="give one of them another name"))
    return tuple(found)


def target_known(
    document: Document, targets: Collection[str], *, searched: str = "", is_used: bool = True
) -> tuple[Problem, ...]:
    """The job's `target` is in `targets`; a job needs none. `searched`: where a missing targets file was searched for.

    Where the command names other targets a near miss is a warning; other names may be in another file.
    """
    name = record(document.data).get("target")
    if not isinstance(name, str) or name in targets:
        return ()
    hint = did_you_mean(name, targets)
    if not is_used and hint is None:
        return ()
    if name == "env" or name.startswith("clio:"):
        hint = f"leave it out: a target that is in no targets file is named on the command line alone, `-t {name}`"
    if hint is None:
        listed = ", ".join(f"`{target}`" for target in sorted(targets))
        known = f"the targets are {listed}" if targets else "there are no targets"
        as_url = "write the name of a target: its `url` is under this name in targets.yaml"
        hint = "; ".join(filter(None, (as_url if "://" in name else known, searched)))
    return (document.problem("E141", f"unknown target `{name}`", path=("target",), hint=hint, warning=not is_used),)


class MissingNeed(Struct, frozen=True, kw_only=True):
    """A job that `job` needs, and that no file has: `problem` says so, where no ledger knows it either."""

    job: str
    need: str
    problem: Problem


def missing_needs(
    documents: Iterable[Document], *, beside: Callable[[Document], Collection[str]]
) -> Iterator[MissingNeed]:
    """The needs that no file fulfils; `beside` gives the names of all jobs in a job's folder."""
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
    while (found := circle(left)) is not None:
        first = min(found, key=[*named].index)
        at = found.index(first)
        way = [*found[at:], *found[:at], first]
        message = f"a job needs itself: {' → '.join(way)}"
        hint = "take one of these needs out: none of the jobs could begin"
        yield named[first].problem("E186", message, path=("needs", needs[first].index(way[1])), hint=hint)
        left[first].remove(way[1])


def _named(documents: Iterable[Document]) -> dict[str, Document]:
    return {str(name): document for document in documents if (name := record(document.data).get("name")) is not None}


def _needs(document: Document) -> list[str]:
    """Each once: the schema reports what is written twice."""
    return [*dict.fromkeys(name for name in items(record(document.data).get("needs")) if isinstance(name, str))]


def circle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Jobs that need each other in a circle, if any."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return [*reversed(error.args[1][1:])]
    return None
