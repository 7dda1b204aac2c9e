"""The inputs of a command: `-i`, then `--inputs`; the environment and defaults come later, job by job."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.documents.load import read
from runner.job import inputs
from runner.job.input_values import short
from runner.job.inputs import Given
from runner.job.model import Case, Job
from runner.problems import Problem, UsageError
from runner.project import called
from runner.values import Json


def read_text(path: str) -> str:
    """A file's text, for `@FILE` and `file()`, without a byte-order mark. Raises `OSError`, `UnicodeDecodeError`."""
    return Path(path).read_text(encoding="utf-8-sig")


def given(options: Sequence[str], *, file: Path | None) -> dict[str, Given]:
    """What the command line gives, by name. Raises `UsageError` with every mistake in it."""
    problems: list[Problem] = [*_given_twice(options)]
    found = _from_file(file, problems) if file else {}
    for option in options:
        parsed = inputs.parse_option(option, read_file=read_text, stdin=sys.stdin.read)
        if isinstance(parsed, Problem):
            problems.append(parsed)
        else:
            name, value = parsed
            found[name] = value
    if problems:
        raise UsageError(*problems)
    return found


def _given_twice(options: Sequence[str]) -> Iterator[Problem]:
    """Inputs that have several values: nobody knows which is wanted. No value is shown."""
    for name, times in Counter(option.partition("=")[0] for option in options).items():
        if name and times > 1:
            message = f"input `{short(name)}` is given {times} times, and takes one value"
            yield Problem(code="E150", message=message, hint="keep one; `cases` of a job make several runs")


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
