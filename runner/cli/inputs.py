"""The inputs of a command: `-i`, then `--inputs`; the environment and defaults come later, job by job."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runner.documents.load import read
from runner.job import inputs
from runner.job.inputs import Given
from runner.job.model import Case, Job
from runner.problems import Problem, UsageError
from runner.project import called
from runner.values import Json, is_well_formed


def read_text(path: str) -> str:
    """A file's text, for `@FILE` and `file()`. Raises `OSError`, `UnicodeDecodeError`."""
    return Path(path).read_text(encoding="utf-8")


def given(options: Sequence[str], *, file: Path | None) -> dict[str, Given]:
    """What the command line gives, by name. Raises `UsageError` with every mistake in it."""
    problems: list[Problem] = []
    found = _from_file(file, problems) if file else {}
    for option in options:
        parsed = inputs.parse_option(option, read_file=read_text, stdin=_standard_input)
        if isinstance(parsed, Problem):
            problems.append(parsed)
        else:
            name, value = parsed
            found[name] = value
    if problems:
        raise UsageError(*problems)
    return found


def values(
    runs: Sequence[tuple[Job, Case | None]], known: dict[str, Given]
) -> tuple[list[dict[str, Json]], list[Problem]]:
    """The input values of each run, and every mistake in them, each once."""
    problems = list(inputs.unknown(known, [job for job, _ in runs]))
    made = []
    for job, case in runs:
        of_run, wrong = inputs.supplied(job, given=known, environment=os.environ, case=case)
        made.append(of_run)
        problems.extend(wrong)
    return made, list(dict.fromkeys(problems))


def _standard_input() -> str:
    """Raises `OSError`, `UnicodeDecodeError`. In the locale C Python reads what is not UTF-8 without a word."""
    if sys.stdin is None:  # whoever called us has closed it
        raise OSError(errno.EBADF, "standard input is closed")
    text = sys.stdin.read()
    if not is_well_formed(text):
        raise OSError(errno.EILSEQ, "it is not UTF-8")
    return text


def _from_file(file: Path, problems: list[Problem]) -> dict[str, Given]:
    document = read(file, name=called(file))
    if isinstance(document, tuple):
        problems.extend(document)
        return {}
    if document.data is None:  # nothing but comments
        return {}
    found = inputs.from_file(document)
    if isinstance(found, Problem):
        problems.append(found)
        return {}
    return found
