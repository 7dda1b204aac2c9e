"""Mistakes written down with where they are and what should be said of them: `tests/wrong/seeds/*.txt`.

`⟦` is before the place. A mistake inside a text is where that text begins: the value itself is the place.
`says` is searched for as a regular expression, `hint` as it is, where a suggestion is due.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.foundation.problems import Problem
from runner.foundation.values import Json, ValuePath
from runner.language import schema
from runner.project.job_files import JobFiles
from runner.project.project import Project, compare
from runner.reading import load
from runner.reading.document import Document
from runner.sandbox import rules as process_rules
from runner.targets import rules as target_rules

_HEAD = "runner: 1\nname: t\n"
_SHAPES = {
    "steps": f"{_HEAD}\nsteps:\n",
    "job": _HEAD,
    "targets": "runner: 1\ntargets:\n",
    "process": "runner: 1\nprocess: UsrA\n",
}
_CALL = "    execute: {process: UsrA, result: R}\n    effect: read"
_SEED = re.compile(
    r"^=== (?P<name>\S+) \((?P<shape>[a-z-]+)\)\nsays: (?P<says>.*)\n(?:hint: (?P<hint>.*)\n)?---\n", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    name: str
    kind: str
    text: str
    at: int
    says: str
    hint: str | None

    def problems(self, folder: Path) -> tuple[Problem, ...]:
        """What is reported of it, as a file of `folder`."""
        file = folder / f"{self.name}.{self.kind}.yaml"
        file.write_bytes(self.text.encode())
        if self.kind == "job":
            return problems_of_job(file, called=lambda path: path.name)
        document = load.read(file, name=file.name)
        if not isinstance(document, Document):
            return document
        reported = schema.check(document, self.kind)
        if self.kind == "targets":
            return reported + target_rules.check(document, reported=reported)
        return reported or process_rules.check(document)

    def place(self) -> tuple[int, int]:
        """Line and column at which it must be reported."""
        before = self.text[: self.at].removeprefix("\ufeff")
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        document = load.load("f", self.text.encode())
        if not isinstance(document, Document):
            return line, column
        for path in _texts(document.data, ()):
            span = document.value_span(path)
            if (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column):
                return span.line, span.column
        return line, column


def problems_of_job(file: Path, *, called: Callable[[Path], str]) -> tuple[Problem, ...]:
    """What `validate` finds in the file of a job that has no target."""
    project = Project()
    opened = JobFiles(called=called, problems=project.problems).open(file)
    if opened is not None:
        compare(opened, None, project)
    return tuple(project.problems)


def read_seeds(folder: Path) -> list[Seed]:
    return [seed for file in sorted(folder.glob("*.txt")) for seed in _in(file.read_text(encoding="utf-8"))]


def _in(text: str) -> list[Seed]:
    heads = list(_SEED.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [_seed(head, text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]


def _seed(head: re.Match[str], body: str) -> Seed:
    shape = head["shape"].removesuffix("-escaped")
    if shape != head["shape"]:
        body = re.sub(r"\\(u[0-9a-f]{4}|[rt\\])", lambda found: found[0].encode().decode("unicode_escape"), body)
    marked = _SHAPES.get(shape, "") + body.replace("    <call>", _CALL)
    kind = {"steps": "job"}.get(shape, shape.removeprefix("whole-"))
    text = marked.replace("⟦", "", 1)
    return Seed(name=head["name"], kind=kind, text=text, at=marked.index("⟦"), says=head["says"], hint=head["hint"])


def _texts(value: Json, path: ValuePath) -> list[ValuePath]:
    match value:
        case dict():
            return [found for key, item in value.items() for found in _texts(item, (*path, key))]
        case list():
            return [found for index, item in enumerate(value) for found in _texts(item, (*path, index))]
        case str():
            return [path]
        case _:
            return []
