"""The job files of a command, each read and checked once, with included jobs and files of cases, without targets."""

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.problems import Finding, Problem, Span, errors_in
from runner.foundation.values import Json, ValuePath, record
from runner.job import build, secret_lines
from runner.job.model import Input, Job
from runner.job.outline import Outline, RawStep, declared_inputs, outline
from runner.language import lookalikes, schema, slipped_keys
from runner.language.kinds import other_kind
from runner.project.paths import inside, root_of
from runner.reading import files
from runner.reading.document import Document
from runner.reading.encoding import AS_CSV, LARGEST_FILE, PASTED
from runner.reading.load import read
from runner.targets.model import Target

if TYPE_CHECKING:
    from runner.job.cases import Cases
    from runner.project.case_files import ReadCases

Read: TypeAlias = Callable[[Path, str], Document | tuple[Problem, ...]]
"""Opens the file at a path, under the name that it has in messages."""

DEEPEST = 8  # so many jobs may be nested in the job that was named

_RUN_KEYS = {
    "target": "leave it out: an included job runs against the target of the job that includes it",
    "cases": "write `for_each` at the step: it carries an included job out several times",
    "concurrency": "leave it out: the lock is that of the job that includes it",
    "needs": "write it in the job that includes it",
    "timeout": "write the `timeout` at the step",
    "cleanup_timeout": "leave it out: that of the job that includes it bounds its `undo` and `finally`, too",
}
"""Keys that only a whole run has, and what holds in their place."""
_NO_RUN = "a job runs once for each case, and not at all without cases: leave `cases` out, or fill the file"
_NO_YAML = frozenset(
    {".md", ".markdown", ".rst", ".txt", ".csv", ".html", ".toml", ".ini", ".sh", ".ps1", ".py", ".log"}
)


class JobFile(Struct, frozen=True, kw_only=True):
    """A job file that is YAML."""

    document: Document
    outline: Outline
    job: Job | None  # None: it, or an included job, has mistakes
    depth: int  # how deep jobs are nested in it
    documents: Mapping[str, Document]  # all files of a run, by name, its own first, without cases
    outlines: Mapping[str, Outline]  # what each declares
    lacking: Mapping[str, Problem] = field(default_factory=dict)  # required inputs that no case gives
    targets: Mapping[str, Target] = field(default_factory=dict)  # that the job can run against
    targets_file: Path | None = None

    @property
    def sources(self) -> Mapping[str, str]:
        return {name: document.text for name, document in self.documents.items()}


class _Checking(Struct, kw_only=True):
    """A file while it is checked."""

    way: tuple[Path, ...]  # from the named file to this, the last
    root: Path
    document: Document
    problems: list[Problem] = field(default_factory=list)
    included: dict[ValuePath, JobFile] = field(default_factory=dict)
    outlines: dict[ValuePath, Outline] = field(default_factory=dict)
    is_sound: bool = True  # every included job, and its file of cases, can be used

    def refuse(self, path: ValuePath, code: str, message: str, hint: str | None = None) -> None:
        self.problems.append(self.document.problem(code, message, path=path, hint=hint))

    def job_file(self, known: Outline, cases: "Cases | None") -> JobFile:
        documents, outlines = {self.document.file: self.document}, {self.document.file: known}
        for inner in self.included.values():
            documents = documents | {
                name: document for name, document in inner.documents.items() if name not in documents
            }
            outlines = outlines | {name: read for name, read in inner.outlines.items() if name not in outlines}
        job = None
        if self.is_sound and not errors_in(self.problems):
            jobs = {path: inner.job for path, inner in self.included.items() if inner.job is not None}
            job = build.job(self.document, included=jobs, cases=cases.cases if cases else None)
        return JobFile(
            document=self.document,
            outline=known,
            job=job,
            depth=max((inner.depth + 1 for inner in self.included.values()), default=0),
            documents=documents,
            outlines=outlines,
            lacking=cases.lacking if cases else {},
        )


def read_file(file: Path, name: str) -> Document | tuple[Problem, ...]:
    found = read(file, name=name, with_flaws=True)
    if not isinstance(found, tuple) or found[0].span is None:
        return found
    return secret_lines.without_values(found, files.first_bytes(file, most=LARGEST_FILE).decode(errors="replace"))


def _beside(flawed: Container[Span | None], problems: Iterable[Problem], document: Document) -> Iterator[Problem]:
    """What is wrong elsewhere than in a value that YAML itself does not give."""
    return (problem for problem in problems if problem.span not in flawed and not document.is_tagged(problem.span))


class JobFiles:
    """Reads job files, and collects their `problems`; `called` names them.

    `read` opens a file; `root` holds all files, None: each job's own project. Without `cases` those are left out.
    `has_passed`: this version has checked these texts before.
    """

    def __init__(
        self,
        *,
        problems: list[Problem],
        called: Callable[[Path], str] = files.display_path,
        read: Read = read_file,
        root: Path | None = None,
        cases: bool = True,
        has_passed: bool = False,
    ) -> None:
        self.has_passed = has_passed
        self._called = called
        self._problems = problems
        self._read = read
        self._root = root
        self._reported: set[Problem] = set()
        self._documents: dict[Path, Document | tuple[Problem, ...]] = {}
        self._opened: dict[tuple[Path, Path], JobFile | None] = {}
        self._case_files: dict[Path, ReadCases] = {}
        self._with_cases = cases

    def open(self, path: Path) -> JobFile | None:
        """The job file that a command names; None where it cannot be read."""
        name = self._called(path)
        stray = files.stray(path, name=name) if self._read is read_file else None
        if stray is not None:
            self._report((stray,))
            return None
        file = Path(os.path.realpath(path))
        self._document(file, name=name)
        return self._open((file,), root=self._root or root_of(file, beside=path.parent.resolve()))

    def _document(self, file: Path, *, name: str | None = None) -> Document | tuple[Problem, ...]:
        if file not in self._documents:
            self._documents[file] = self._read(file, name or self._called(file))
        return self._documents[file]

    def _open(self, way: tuple[Path, ...], *, root: Path) -> JobFile | None:
        key = way[-1], root
        if key not in self._opened:
            document = self._document(way[-1])
            wrong = _unusable(document, way[-1])
            self._report(wrong)
            self._opened[key] = None
            if isinstance(document, Document) and not wrong:
                self._opened[key] = self._checked(_Checking(way=way, root=root, document=document))
        return self._opened[key]

    def _checked(self, checking: _Checking) -> JobFile:
        """Check a file. Its own mistakes are reported before those of files that it leans on."""
        document, at = secret_lines.without_secret_lines(checking.document), len(self._problems)
        problems, document = schema.read(document, "job")
        checking.document = document
        flawed = {flaw.span for flaw in document.flaws}
        checking.problems += (*document.flaws, *_beside(flawed, problems, document))
        known = outline(record(document.data))
        for step in known.steps:
            self._include(step, checking)
        known = replace(known, included=checking.outlines)
        if not self.has_passed:
            from runner.lint import job as rules  # noqa: PLC0415  7 ms, not for a run that is resumed

            found = rules.check(document, reported=tuple(checking.problems), job=known)
            checking.problems += _beside(flawed, found, document)
            checking.problems += lookalikes.check(document, reported=tuple(checking.problems))
            checking.problems += slipped_keys.check(document, [step.path for step in known.steps])
        cases = self._cases_of(checking, known)
        self._report(checking.problems, at=at)
        if isinstance(known.cases, str) and cases is not None:
            first = cases.cases[:200]  # more have been written by a program
            read: list[Json] = [{"name": each.name, "inputs": each.inputs} for each in first]
            known = replace(known, cases=read, in_a_file=True)
        return checking.job_file(known, cases)

    def _include(self, step: RawStep, checking: _Checking) -> None:
        """Open the job in the place of `step`, if there is any."""
        path = (*step.path, "job", "file")
        written = record(step.fields.get("job")).get("file")
        file = self._file(written, path, checking)
        if file is None or self._is_too_far(file, path, checking):
            return
        document = self._document(file)
        if not isinstance(document, Document) and document[0].span is None:
            checking.refuse(path, *_missing(document[0], file, str(written)))
            return
        if isinstance(document, Document) and (other := other_kind(document, "job")):
            checking.refuse(path, "E107", other.message.replace("this", f"`{written}`", 1), "name the file of a job")
            return
        opened = self._open((*checking.way, file), root=checking.root)
        checking.is_sound = checking.is_sound and opened is not None and opened.job is not None
        if opened is None:
            return
        checking.outlines[step.path] = opened.outline
        self._refuse_run_keys(opened, step, checking)
        if len(checking.way) + opened.depth > DEEPEST:
            self._refuse_depth((*checking.way, file), path, checking)
        else:
            checking.included[step.path] = opened

    def _file(self, written: Json, path: ValuePath, checking: _Checking) -> Path | None:
        """The file that the value at `path` names; what is no path, or holds a template, is reported elsewhere."""
        if not isinstance(written, str) or not written or "{{" in written:
            return None
        shown = self._called(checking.root)
        found = inside(written, beside=checking.way[-1].parent, root=checking.root, shown=shown)
        if isinstance(found, Finding):
            checking.refuse(path, found.code, found.message, found.hint)
            return None
        return found

    def _is_too_far(self, file: Path, path: ValuePath, checking: _Checking) -> bool:
        """Whether the file is not to be opened: a circle, or jobs that are nested too deep."""
        way = checking.way
        if file in way:
            message = f"a job includes itself: {self._chain((*way[way.index(file) :], file))}"
            checking.refuse(path, "E118", message, "`for_each` at a step carries a job out several times")
        elif len(way) > DEEPEST:
            self._refuse_depth((*way, file), path, checking)
        return file in way or len(way) > DEEPEST

    def _refuse_depth(self, way: tuple[Path, ...], path: ValuePath, checking: _Checking) -> None:
        checking.refuse(path, "E118", f"more than {DEEPEST} jobs are nested here: {self._chain(way)}")

    def _chain(self, way: Iterable[Path]) -> str:
        documents = ((self._document(file), file) for file in way)
        return " → ".join(found.file if isinstance(found, Document) else file.name for found, file in documents)

    def _refuse_run_keys(self, opened: JobFile, step: RawStep, checking: _Checking) -> None:
        """Report keys that an included job cannot have, once for each, whoever includes it."""
        document = opened.document
        for key in (key for key in _RUN_KEYS if key in record(document.data)):
            checking.is_sound = False
            if not any(problem.file == document.file and problem.path == (key,) for problem in self._problems):
                message = f"`{key}` is not allowed in a job that another includes"
                hint = f"{_RUN_KEYS[key]}; {_called_step(step, checking.document)} includes this job"
                self._report([document.problem("E107", message, path=(key,), at_key=True, hint=hint)])

    def _cases_of(self, checking: _Checking, known: Outline) -> "Cases | None":
        """The cases of a job, None where it has none; those in a file are reported after the job's own mistakes."""
        written = record(checking.document.data).get("cases") if self._with_cases else None
        if written is None:
            return None
        if "" in known.inputs:
            return None  # inputs that are no record: whichever is asked for may be there
        path, inputs = ("cases",), declared_inputs(known.inputs)
        if not isinstance(written, list):
            file = self._file(written, path, checking)
            return None if file is None else self._cases_in(file, str(written), inputs, checking)
        from runner.job.cases import in_list  # noqa: PLC0415  3 ms with the files of cases, for a job that has cases

        cases = in_list(checking.document, path, inputs)
        checking.problems += cases.problems
        return cases

    def _cases_in(self, file: Path, written: str, inputs: tuple[Input, ...], checking: _Checking) -> "Cases | None":
        from runner.project.case_files import cases_in, read_cases  # noqa: PLC0415  as above

        path = ("cases",)
        if file.suffix.casefold() not in files.OF_CASES:
            hint = "name a CSV file, `NAME.csv`, or a JSON file, `NAME.json`, or write a list here"
            hint += f"; {AS_CSV}" if file.suffix.casefold().startswith(".xls") else ""
            checking.refuse(path, "E107", f"`{written}` holds no cases", hint)
            return None
        if file not in self._case_files:
            self._case_files[file] = read_cases(file, name=self._called(file))
        cases = cases_in(self._case_files[file], inputs)
        if cases.problems and cases.problems[0].span is None:
            checking.refuse(path, *_missing(cases.problems[0], file, written))
            return None
        checking.is_sound = checking.is_sound and not errors_in(cases.problems)
        self._report(cases.problems)
        if not cases.cases and not cases.problems:
            checking.refuse(path, "E108", f"`{written}` holds no cases", _NO_RUN)
        return cases

    def _report(self, problems: Iterable[Problem], *, at: int | None = None) -> None:
        news = [problem for problem in problems if problem not in self._reported]
        self._reported.update(news)
        place = len(self._problems) if at is None else at
        self._problems[place:place] = news


def _unusable(document: Document | tuple[Problem, ...], file: Path) -> tuple[Problem, ...]:
    """Why a file holds no job, where that is so. A file that is no YAML, and by its name need not be, holds none."""
    if isinstance(document, Document):
        other = other_kind(document, "job")
        return (other,) if other else ()
    if document[0].span is None or file.suffix.casefold() not in _NO_YAML or document[0].message == PASTED:
        return document
    message = f"`{file.name}` holds no job"
    return (replace(document[0], code="E101", message=message, hint="the file of a job is called `NAME.job.yaml`"),)


def _missing(problem: Problem, file: Path, written: str) -> tuple[str, str, str | None]:
    """Code, message and hint of a file that cannot be read, for the place where it is named."""
    slashes = f"write it with `/`: `{written.replace(chr(92), '/')}`" if chr(92) in written else None
    if re.match(r"[A-Za-z]:[\\/]", written):
        slashes = "write a path that is relative to this file, as `data/cases.csv`"
    hint = files.hint_on_missing(file, written=written) if files.is_missing(file) else problem.hint
    return problem.code, problem.message, slashes or hint


def _called_step(step: RawStep, document: Document) -> str:
    name = step.fields.get("id")
    called = f"step `{name}`" if isinstance(name, str) else f"the step in line {document.line_of(step.path)}"
    return f"{called} of {document.file}"
