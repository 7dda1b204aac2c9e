"""The job files of a command, each read and checked once, with the jobs that they include and the files of their cases.

Targets are none of this module's business.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import TypeAlias

from runner.foundation.problems import Problem, are_errors
from runner.foundation.raw import record
from runner.foundation.values import Json, Path
from runner.job import build, secret_lines
from runner.job.cases.found import Cases
from runner.job.cases.lists import in_list
from runner.job.model import Job
from runner.job.outline import Outline, RawStep, declared_inputs, outline
from runner.language import lookalikes, schema
from runner.language.kinds import other_kind
from runner.lint import job as rules
from runner.project.case_files import KINDS, CaseFiles
from runner.project.paths import PathMistake, inside, root_of
from runner.reading import files
from runner.reading.document import Document
from runner.reading.encoding import LARGEST_FILE
from runner.reading.load import read

Read: TypeAlias = Callable[[FilePath, str], Document | tuple[Problem, ...]]
"""Opens the file at a path, under the name that it has in messages."""

DEEPEST = 8
"""So many jobs may stand within each other, the one that was named not counted."""

_OF_A_RUN = {
    "target": "an included job runs against the target of the job that includes it",
    "cases": "`for_each` at the step carries an included job out several times",
    "concurrency": "the lock is that of the job that includes it",
    "timeout": "write the `timeout` at the step",
    "cleanup_timeout": "that of the job that includes it bounds its `undo` and `finally`, too",
}
"""Keys that only a whole run has, and what holds in their place."""
_NO_RUN = "a job runs once for each case, and not at all without one: leave `cases` out, or fill the file"


_NO_YAML = frozenset(
    {".md", ".markdown", ".rst", ".txt", ".csv", ".html", ".toml", ".ini", ".sh", ".ps1", ".py", ".log"}
)


def read_file(file: FilePath, name: str) -> Document | tuple[Problem, ...]:
    found = read(file, name=name, with_flaws=True)
    if not isinstance(found, tuple) or found[0].span is None:
        return found
    return secret_lines.of_unreadable(found, files.beginning(file, most=LARGEST_FILE).decode(errors="replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A job file that is YAML. `job` is None where it, or a job that it includes, has mistakes.

    `depth`: how many jobs stand within each other in it. `documents`: all files that a run of it consists of, by
    their names, its own first; cases are part of a run by their values alone. `outlines`: what each declares.
    `lacking`: the required inputs that no case gives.
    """

    document: Document
    known: Outline
    job: Job | None
    depth: int
    documents: Mapping[str, Document]
    outlines: Mapping[str, Outline]
    lacking: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Checking:
    """A file while it is checked. `way` leads to it: from the file that was named to itself, which is the last.

    `is_sound` is false where a job that it includes, or a file of cases, is of no use.
    """

    way: tuple[FilePath, ...]
    root: FilePath
    document: Document
    problems: list[Problem] = field(default_factory=list)
    included: dict[Path, Opened] = field(default_factory=dict)
    outlines: dict[Path, Outline] = field(default_factory=dict)
    is_sound: bool = True

    def refuse(self, path: Path, mistake: PathMistake) -> None:
        self.problems.append(self.document.problem(mistake.code, mistake.message, path=path, hint=mistake.hint))


class JobFiles:
    """`called` gives the name of a file in messages. Mistakes and warnings go into `problems`, each once.

    `read` opens a file under its name, and `root` is the folder that all files must lie in; None looks for each job's
    own project. Without `cases` those of a job are passed over: it is for a run whose case has been chosen before.
    """

    def __init__(
        self,
        *,
        called: Callable[[FilePath], str],
        problems: list[Problem],
        read: Read = read_file,
        root: FilePath | None = None,
        cases: bool = True,
    ) -> None:
        self._called = called
        self._problems = problems
        self._read = read
        self._root = root
        self._told: set[Problem] = set()
        self._documents: dict[FilePath, Document | tuple[Problem, ...]] = {}
        self._opened: dict[tuple[FilePath, FilePath], Opened | None] = {}
        self._cases = CaseFiles(called=called)
        self._with_cases = cases

    def open(self, path: FilePath) -> Opened | None:
        """The job file that a command names; None where it cannot be read."""
        name = self._called(path)
        stray = files.stray(path, name=name) if self._read is read_file else None
        if stray is not None:
            self._tell((stray,))
            return None
        file = FilePath(os.path.realpath(path))
        self._document(file, name=name)
        return self._open((file,), root=self._root or root_of(file, beside=path.parent.resolve()))

    def _document(self, file: FilePath, *, name: str | None = None) -> Document | tuple[Problem, ...]:
        if file not in self._documents:
            self._documents[file] = self._read(file, name or self._called(file))
        return self._documents[file]

    def _open(self, way: tuple[FilePath, ...], *, root: FilePath) -> Opened | None:
        key = way[-1], root
        if key not in self._opened:
            document = self._document(way[-1])
            if isinstance(document, tuple):
                self._tell(_of_another_kind(document, way[-1]) or document)
                self._opened[key] = None
            elif other := other_kind(document, "job"):
                self._tell((other,))
                self._opened[key] = None
            else:
                self._opened[key] = self._checked(_Checking(way=way, root=root, document=document))
        return self._opened[key]

    def _checked(self, checking: _Checking) -> Opened:
        """Check a file. Its own mistakes are told before those of files that it leans on."""
        document, at = secret_lines.without_secret_lines(checking.document), len(self._problems)
        problems, document = schema.read(document, "job")
        checking.document = document
        flawed = {flaw.span for flaw in document.flaws}
        checking.problems += (*document.flaws, *(one for one in problems if one.span not in flawed))
        known = outline(record(document.data))
        for step in known.steps:
            self._include(step, checking)
        known = replace(known, included=checking.outlines)
        found = rules.check(document, reported=tuple(checking.problems), known=known)
        checking.problems += (one for one in found if one.span not in flawed)
        checking.problems += lookalikes.check(document, reported=tuple(checking.problems))
        cases = self._cases_of(checking, known)
        self._tell(checking.problems, at=at)
        is_sound = checking.is_sound and not are_errors(checking.problems)
        return Opened(
            document=document,
            known=known,
            job=_built(checking, cases) if is_sound else None,
            depth=max((one.depth + 1 for one in checking.included.values()), default=0),
            documents=_documents(checking),
            outlines=_outlines(checking, known),
            lacking=cases.lacking if cases else {},
        )

    def _include(self, step: RawStep, checking: _Checking) -> None:
        """Open the job in the place of `step`, if one is there."""
        path = (*step.path, "job", "file")
        written = record(step.fields.get("job")).get("file")
        file = self._file(written, path, checking)
        if file is None:
            return
        wrong = self._way_mistake(checking.way, file)
        if wrong is not None:
            checking.refuse(path, wrong)
            return
        document = self._document(file)
        if not isinstance(document, Document) and document[0].span is None:
            checking.refuse(path, _missing(document[0], file, str(written)))
            return
        if isinstance(document, Document) and (other := other_kind(document, "job")):
            message = other.message.replace("this", f"`{written}`", 1)
            checking.refuse(path, PathMistake(code="E107", message=message, hint="name the file of a job"))
            return
        opened = self._open((*checking.way, file), root=checking.root)
        checking.is_sound = checking.is_sound and opened is not None and opened.job is not None
        if opened is None:
            return
        checking.outlines[step.path] = opened.known
        self._refuse_keys_of_a_run(opened, step, checking)
        if len(checking.way) + opened.depth > DEEPEST:
            checking.refuse(path, self._too_deep((*checking.way, file)))
        else:
            checking.included[step.path] = opened

    def _file(self, written: Json, path: Path, checking: _Checking) -> FilePath | None:
        """The file that is meant by what stands at `path`; what is no path, or holds a template, is told elsewhere."""
        if not isinstance(written, str) or not written or "{{" in written:
            return None
        shown = self._called(checking.root)
        found = inside(written, beside=checking.way[-1].parent, root=checking.root, shown=shown)
        if isinstance(found, PathMistake):
            checking.refuse(path, found)
            return None
        return found

    def _way_mistake(self, way: tuple[FilePath, ...], file: FilePath) -> PathMistake | None:
        if file in way:
            circle = self._chain((*way[way.index(file) :], file))
            message = f"a job includes itself: {circle}"
            return PathMistake(
                code="E118", message=message, hint="`for_each` at a step carries a job out several times"
            )
        return self._too_deep((*way, file)) if len(way) > DEEPEST else None

    def _too_deep(self, way: tuple[FilePath, ...]) -> PathMistake:
        message = f"more than {DEEPEST} jobs stand within each other here: {self._chain(way)}"
        return PathMistake(code="E118", message=message)

    def _chain(self, way: Iterable[FilePath]) -> str:
        return " → ".join(_name(self._document(file), file) for file in way)

    def _refuse_keys_of_a_run(self, opened: Opened, step: RawStep, checking: _Checking) -> None:
        """Tell of keys that an included job cannot have, once for each, whoever includes it."""
        document = opened.document
        for key in (key for key in _OF_A_RUN if key in record(document.data)):
            checking.is_sound = False
            if not any(told.file == document.file and told.path == (key,) for told in self._problems):
                message = f"`{key}` cannot stand in a job that another includes"
                hint = f"{_called_step(step, checking.document)} includes this one: {_OF_A_RUN[key]}"
                self._tell([document.problem("E107", message, path=(key,), at_key=True, hint=hint)])

    def _cases_of(self, checking: _Checking, known: Outline) -> Cases | None:
        """The cases of a job, None where it has none; those in a file are told of behind the job's own mistakes."""
        written = record(checking.document.data).get("cases") if self._with_cases else None
        inputs = declared_inputs(known.inputs)
        if isinstance(written, list):
            cases = in_list(checking.document, ("cases",), inputs)
            checking.problems += (*cases.problems, *cases.lacking_some)
            return cases
        file = self._file(written, ("cases",), checking)
        if file is None:
            return None
        if file.suffix.casefold() not in KINDS:
            hint = "name a CSV file, `NAME.csv`, or a JSON file, `NAME.json`, or write a list here"
            checking.refuse(("cases",), PathMistake(code="E107", message=f"`{written}` holds no cases", hint=hint))
            return None
        cases = self._cases.cases(file, inputs)
        if cases.problems and cases.problems[0].span is None:
            checking.refuse(("cases",), _missing(cases.problems[0], file, str(written)))
            return None
        told = (*cases.problems, *cases.lacking_some)
        checking.is_sound = checking.is_sound and not are_errors(told)
        self._tell(told)
        if not cases.cases and not cases.problems:
            checking.refuse(("cases",), PathMistake(code="E108", message=f"`{written}` holds no cases", hint=_NO_RUN))
        return cases

    def _tell(self, problems: Iterable[Problem], *, at: int | None = None) -> None:
        news = [problem for problem in problems if problem not in self._told]
        self._told.update(news)
        place = len(self._problems) if at is None else at
        self._problems[place:place] = news


def _built(checking: _Checking, cases: Cases | None) -> Job:
    jobs = {path: opened.job for path, opened in checking.included.items() if opened.job is not None}
    return build.job(checking.document, included=jobs, cases=cases.cases if cases else None)


def _documents(checking: _Checking) -> dict[str, Document]:
    documents = {checking.document.file: checking.document}
    for opened in checking.included.values():
        documents |= {name: one for name, one in opened.documents.items() if name not in documents}
    return documents


def _outlines(checking: _Checking, known: Outline) -> dict[str, Outline]:
    outlines = {checking.document.file: known}
    for opened in checking.included.values():
        outlines |= {name: one for name, one in opened.outlines.items() if name not in outlines}
    return outlines


def _of_another_kind(problems: Sequence[Problem], file: FilePath) -> tuple[Problem, ...]:
    """What to tell of a file that is no YAML, and by its name need not be."""
    if problems[0].span is None or file.suffix.casefold() not in _NO_YAML:
        return ()
    message = f"`{file.name}` holds no job"
    return (replace(problems[0], code="E101", message=message, hint="the file of a job is called `NAME.job.yaml`"),)


def _missing(problem: Problem, file: FilePath, written: str) -> PathMistake:
    """A file that cannot be read, told where it is named."""
    slashes = f"write it with `/`: `{written.replace(chr(92), '/')}`" if chr(92) in written else None
    return PathMistake(code=problem.code, message=problem.message, hint=slashes or problem.hint or files.near(file))


def _name(document: Document | tuple[Problem, ...], file: FilePath) -> str:
    return document.file if isinstance(document, Document) else file.name


def _called_step(step: RawStep, document: Document) -> str:
    name = step.fields.get("id")
    line = document.line_of(step.path)
    return (
        f"step `{name}` of {document.file}" if isinstance(name, str) else f"the step in line {line} of {document.file}"
    )
