"""Single mistakes in the shipped jobs: each is reported, or leaves a job that does the same, or one that is as right.

Of the last there are few kinds, and `HARMLESS` says of each why nobody but its author could know better. A key, a word
of ours, a name in an expression, and a process, parameter, entity or column of the sandbox are in none of them.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace
from mutate import Mutation, mutations, unmutated

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import Json, ValuePath
from runner.job.model import Job
from runner.project.project import open_project
from runner.reading import load
from runner.reading.document import Document

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parents[2] / "specs"
FILES = sorted(file for file in SPECS.rglob("*.job.yaml") if file.parent.name != "deploy")
"""Those of `deploy` are for a site of which nothing is known here, so that any name may be right."""
AROUND = SPECS / "team.job.yaml"
EVERY = 8
"""So many mutations of the text there are to one that is tried: each letter in its turn has a sign that can be lost."""

HARMLESS = {
    "prose": "it is for people, and nothing is sent of it",
    "a name of one's own": "a job, a tag, an output of the job, or a step that nobody refers to may have any name",
    "left out": "a job without it is as right: a step, a check, or what has a default; who wanted it knows it alone",
    "a value": "what is sent or compared is known to the author alone",
    "a wider schema": "an input may have several types, or any",
    "a list for a text": "a list is sent as JSON, and a text may hold it",
}
_PROSE = ("description", "help", "message", "confirm", "name")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    mutation: Mutation
    problems: tuple[Problem, ...]
    is_same: bool
    harmless: str | None

    @property
    def reported(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def survives(self) -> bool:
        return not self.problems and not self.is_same


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    folder = tmp_path_factory.mktemp("mutations") / "specs"
    shutil.copytree(SPECS, folder)
    (folder.parent / ".git").mkdir()
    return [outcome for file in FILES for outcome in _of(file, folder / file.relative_to(SPECS))]


def test_a_mutation_is_reported_or_changes_nothing_or_is_of_a_kind_that_is_harmless(outcomes: list[Outcome]) -> None:
    survivors = [outcome for outcome in outcomes if outcome.survives]

    print(_figures(outcomes))  # noqa: T201  figures
    assert len(outcomes) >= 300
    assert [str(outcome.mutation) for outcome in survivors if outcome.harmless not in HARMLESS] == []


def test_every_kind_of_harmless_mutation_occurs(outcomes: list[Outcome]) -> None:
    assert {outcome.harmless for outcome in outcomes if outcome.survives} == HARMLESS.keys()


def test_a_key_of_ours_that_is_misspelt_is_always_reported(outcomes: list[Outcome]) -> None:
    renamed = [each for each in outcomes if each.mutation.kind == "rename" and each.mutation.path[0] != "outputs"]

    assert len(renamed) > 100
    assert [str(each.mutation) for each in renamed if not each.reported] == []


def test_a_name_in_an_expression_or_a_template_that_is_misspelt_is_always_reported(outcomes: list[Outcome]) -> None:
    names = [each for each in outcomes if each.mutation.kind == "misspell" and _is_in_an_expression(each.mutation)]

    assert len(names) > 20
    assert [str(each.mutation) for each in names if not each.reported] == []


def _is_in_an_expression(mutation: Mutation) -> bool:
    """Whether the letters that were exchanged stand in an expression, and outside of its texts."""
    keys = [key for key in mutation.path if isinstance(key, str)]
    bare = keys[-1] in ("if", "expect", "that", "for_each") or "outputs" in keys
    was, became = (
        _LITERAL.sub("", text if bare else " ".join(_TEMPLATE.findall(text)))
        for text in (mutation.was, mutation.became)
    )
    return was != became and "Name" not in keys


def _figures(outcomes: list[Outcome]) -> str:
    kinds = Counter(each.harmless for each in outcomes if each.survives)
    reported = sum(each.reported for each in outcomes)
    warned = sum(bool(each.problems) and not each.reported for each in outcomes)
    same = sum(each.is_same and not each.problems for each in outcomes)
    return f"{len(outcomes)} mutations: {reported} refused, {warned} warned of, {same} the same job, survivors: {kinds}"


def _of(file: Path, copy: Path) -> Iterator[Outcome]:
    """Every mutation of one file, all opened together as files beside it."""
    text = file.read_text(encoding="utf-8")
    chosen = list(_chosen(file.name, text))
    texts = {**{f"m{number}": one.text for number, one in enumerate(chosen)}, "line": unmutated(text), "text": text}
    paths = {name: copy.with_name(f"{name}.job.yaml") for name in texts}
    for name, path in paths.items():
        path.unlink(missing_ok=True)  # some file systems write a file to disk before they let it be written over
        path.write_text(texts[name], encoding="utf-8")
    around = _around(file, copy, paths) if copy.parent.name == "parts" else {}
    jobs, problems = _opened([*paths.values(), *around.values()])
    for number, one in enumerate(chosen):
        path, outer = paths[f"m{number}"], around.get(f"m{number}")
        right = paths["line" if one.is_in_the_data else "text"]
        found = problems.get(path, ()) + (problems.get(outer, ()) if outer else ())
        is_same = jobs[path] is not None and jobs[path] == jobs[right]
        yield Outcome(mutation=one, problems=found, is_same=is_same, harmless=_harmless(one, text))


def _chosen(name: str, text: str) -> Iterator[Mutation]:
    """All that are made in the data but for one word of each prose, and some of those that are made in the text."""
    seen: set[tuple[str, ValuePath]] = set()
    for number, one in enumerate(mutations(name, text)):
        is_again = one.kind == "misspell" and one.path[-1] in _PROSE and (one.kind, one.path) in seen
        seen.add((one.kind, one.path))
        if not is_again if one.is_in_the_data else number % EVERY == 0:
            yield one


def _around(file: Path, copy: Path, paths: Mapping[str, Path]) -> dict[str, Path]:
    """A job that includes each of `paths`: what a part names is held against the target of the job around it."""
    text = AROUND.read_text(encoding="utf-8")
    made = {}
    for name, path in paths.items():
        made[name] = copy.parents[1] / f"around-{path.name}"
        made[name].unlink(missing_ok=True)
        made[name].write_text(text.replace(f"parts/{file.name}", f"parts/{path.name}"), encoding="utf-8")
    return made


def _opened(paths: list[Path]) -> tuple[dict[Path, Job | None], dict[Path, tuple[Problem, ...]]]:
    project = open_project(paths, targets=None, environment={})
    jobs: dict[Path, Job | None] = dict.fromkeys(paths)
    for opened in project.files:
        path = Path(opened.document.file).absolute()
        jobs[path] = opened.job and replace(opened.job, file="")
    problems: dict[Path, tuple[Problem, ...]] = {}
    for problem in project.problems:
        if not problem.message.startswith("two jobs are called"):
            path = Path(problem.file or "").absolute()
            problems[path] = (*problems.get(path, ()), problem)
    return jobs, problems


def _harmless(mutation: Mutation, text: str) -> str | None:
    """Of which kind a survivor is, None where it should have been reported."""
    path = mutation.path if mutation.is_in_the_data else _where_they_differ(text, mutation.text)
    keys = [key for key in path if isinstance(key, str)]
    match keys:
        case ["name"] | ["tags"] | ["outputs", _] | [_, "id"] if mutation.kind != "delete":
            return "a name of one's own"
        case [*_, "type"] if keys[0] == "inputs":
            return "a wider schema"
        case _ if mutation.kind == "delete":
            return "left out"
        case [*_, last] if last in _PROSE:
            return "prose"
        case [*_, "parameters", _] if mutation.kind == "wrong type":
            return "a list for a text"
        case ["vars", *_] | ["inputs", _, "default"] | [_, "expect"]:
            return "a value"
    return None


def _where_they_differ(one: str, other: str) -> ValuePath:
    left, right = (load.load("", text.encode()) for text in (one, other))
    if not isinstance(left, Document) or not isinstance(right, Document):
        return ()
    return _difference(left.data, right.data, ())


def _difference(left: Json, right: Json, path: ValuePath) -> ValuePath:
    match left, right:
        case dict(), dict() if left.keys() == right.keys():
            return next(
                (_difference(left[key], right[key], (*path, key)) for key in left if left[key] != right[key]), path
            )
        case list(), list() if len(left) == len(right):
            pairs = enumerate(zip(left, right, strict=True))
            return next((_difference(*pair, (*path, index)) for index, pair in pairs if pair[0] != pair[1]), path)
        case _:
            return path
