"""What a SPEC is meant to be where there is no such file: the name of a job, of a process, of a target."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from runner.catalogue.read import ENDING
from runner.cli import ignored_files
from runner.cli.hints import PROCESS
from runner.foundation.problems import Problem, UsageError
from runner.project.paths import JOB_FILES, called
from runner.reading.files import beginning, is_meant
from runner.reports.safe import clean

_MOST_FILES = 500


def check(specs: Iterable[Path], *, of_targets: bool) -> None:
    """Raise `UsageError` for a SPEC that is no job file, where it is known what is meant. `of_targets`: the command is
    about targets, and takes jobs only to find them, or to say what matters to the jobs.
    """
    for spec in specs:
        if of_targets and spec.name.endswith(ENDING):
            raise UsageError(_mistake(spec, f"`--catalog {clean(str(spec))}` compares with it, `-t` names a target"))
        if spec.name != str(spec) or spec.suffix or spec.exists():
            continue
        if of_targets or not _is_a_beginning(spec.name):
            meaning = _of_a_job(spec.name) or (_of_a_target(spec.name) if of_targets else _of_a_process(spec.name))
            if meaning is not None:
                raise UsageError(_mistake(spec, meaning))


def _mistake(spec: Path, hint: str) -> Problem:
    what = f"`{clean(str(spec))}` holds no jobs" if spec.exists() else f"there is no file `{clean(str(spec))}`"
    return Problem(code="E100", message=what, hint=hint)


def _is_a_beginning(name: str) -> bool:
    """Whether a file is called like that, with an ending: then that one is meant."""
    return any(path.name.startswith(f"{name}.") for path in ignored_files.inside(Path()))


def _of_a_job(name: str) -> str | None:
    line = re.compile(rb"(?m)^name:[ \t]*[\"']?%s[\"']?[ \t]*(#.*)?\r?$" % re.escape(name.encode(errors="replace")))
    found = next((path for path in islice(_near(), _MOST_FILES) if line.search(beginning(path))), None)
    if found is None:
        return None
    return f"the job `{clean(name)}` stands in {clean(called(found))}: name the file"


def _near() -> Iterator[Path]:
    for pattern in (JOB_FILES, f"*/{JOB_FILES}"):
        yield from sorted(path for path in Path().glob(pattern) if is_meant(path))


def _of_a_process(name: str) -> str | None:
    return "a process is started by a step of a job, and a SPEC is a job file" if PROCESS.fullmatch(name) else None


def _of_a_target(name: str) -> str:
    return f"`-t {clean(name)}` names a target"
