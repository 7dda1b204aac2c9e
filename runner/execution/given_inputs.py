"""The inputs of the command line: `-i`, then `--inputs`. Variables, defaults and a person's answers come later."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import shortened
from runner.foundation.values import Json, is_well_formed
from runner.job import inputs
from runner.job.inputs import SHOWN, Given
from runner.job.model import Case, Job
from runner.reading.encoding import LARGEST_FILE
from runner.reading.files import called, read_text, too_large
from runner.reading.load import read_private

AskForInputs: TypeAlias = Callable[
    [Iterable[tuple[Job, Case | None]], Mapping[str, Given], Mapping[str, str]], dict[str, Given]
]
"""Gives, by name, the required inputs of these runs that neither is known nor in an environment."""


def ask_nobody(
    runs: Iterable[tuple[Job, Case | None]], known: Mapping[str, Given], environment: Mapping[str, str]
) -> dict[str, Given]:
    del runs, known, environment
    return {}


class GivenAnew(Struct, frozen=True, kw_only=True):
    """What a command gives anew to a stored run."""

    inputs: dict[str, Given] = field(default_factory=dict)  # secrets
    targets: Path | None = None  # the file of its target
    ask: AskForInputs = ask_nobody  # gets missing inputs
    others: frozenset[str] = frozenset()  # names of inputs that other runs of the command have


def given_inputs(options: Sequence[str], *, file: Path | None) -> dict[str, Given]:
    """What the command line gives, by name. Raises `UsageError` with every problem in it."""
    problems: list[Problem] = [*_given_twice(options)]
    found = _from_file(file, problems) if file else {}
    for option in options:
        parsed = inputs.parse_option(option, read_file=partial(read_text, streams=True), stdin=_standard_input)
        if isinstance(parsed, Problem):
            problems.append(parsed)
        else:
            found[parsed[0]] = parsed[1]
    if problems:
        raise UsageError(*problems)
    return found


def _given_twice(options: Sequence[str]) -> Iterator[Problem]:
    """Inputs that have several values: nobody knows which counts. No value is shown."""
    for name, times in Counter(option.partition("=")[0] for option in options).items():
        if name and times > 1:
            message = f"input `{shortened(name, SHOWN)}` is given {times} times, and takes one value"
            hint = "keep one; write a list as JSON: `-i NAME='[1, 2]'`; `cases` of a job make several runs"
            yield Problem(code="E150", message=message, hint=hint)


def _standard_input() -> str:
    """Raises `OSError`, `UnicodeDecodeError`. In the locale C Python reads what is not UTF-8 without a word."""
    if sys.stdin is None:  # whoever called us has closed it
        raise OSError(errno.EBADF, "standard input is closed")
    text = sys.stdin.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise too_large()
    if not is_well_formed(text):
        raise OSError(errno.EILSEQ, "it is not UTF-8")
    return text


def _from_file(file: Path, problems: list[Problem]) -> dict[str, Given]:
    document = read_private(file, name=called(file))
    if isinstance(document, tuple):
        problems.extend(document)
        return {}
    if not document.text.strip():
        problems.append(document.problem("E108", "there is nothing in this file", path=()))
        return {}
    found = {} if document.data is None else inputs.from_file(document)  # None: nothing but comments
    if isinstance(found, Problem):
        problems.append(found)
        return {}
    return found


def input_values(
    runs: Sequence[tuple[Job, Case | None, Mapping[str, Problem]]], known: dict[str, Given]
) -> tuple[list[dict[str, Json]], list[Problem]]:
    """The input values of each run, and every problem in them, once. A run: its job, case, and missing inputs."""
    problems = list(inputs.unknown(known, {declared.name for job, _, _ in runs for declared in job.inputs}))
    made = []
    for job, case, lacking in runs:
        run_values, wrong = inputs.supplied(job, given=known, environment=os.environ, case=case, lacking=lacking)
        made.append(run_values)
        problems.extend(wrong)
    return made, list(dict.fromkeys(problems))
