"""What a command line asks for, the inputs that it gives, and the runs that it selects: records, from words to runs.

The inputs of the command line are `-i`, then `--inputs`; variables, defaults and a person's answers come later.
"""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.model import ProcessElement
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import job_and_case, shortened
from runner.foundation.values import Json, canonical, is_well_formed
from runner.job import inputs
from runner.job.inputs import SHOWN, Given
from runner.job.model import Case, Input, Job
from runner.lint.jobs import MissingNeed
from runner.planning.plan import ChosenCase, Plan, plan
from runner.project.job_files import JobFiles
from runner.reading.encoding import LARGEST_FILE
from runner.reading.files import display_path, read_text, too_large
from runner.reading.load import read_private
from runner.runs.events import TargetName
from runner.runs.refused_starts import RefusedStart
from runner.runs.store import RunStore
from runner.runs.stored_runs import RunName
from runner.secrets.redact import Secrets
from runner.targets.model import Target

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

    inputs: MutableMapping[str, Given] = field(default_factory=dict)  # secrets
    targets: Path | None = None  # the file of its target
    ask: AskForInputs = ask_nobody  # gets missing inputs
    others: frozenset[str] = frozenset()  # names of inputs that other runs of the command have
    job_files: JobFiles = field(default_factory=lambda: JobFiles(problems=[]))  # the files of now, read once


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
    document = read_private(file, name=display_path(file))
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


NOTHING = "nothing was selected"


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    specs: Sequence[Path]
    targets: Sequence[str] = ()  # names, in the order given
    targets_file: Path | None = None
    catalogue: Path | None = None
    waits_for_sites: bool = False  # until they are as the catalogue says
    given: Sequence[str] = ()
    inputs_file: Path | None = None
    tags: str | None = None
    keywords: Sequence[str] = ()
    last_failed: RunStore | None = None  # the store that knows what did not pass
    confirmed: Sequence[str] = ()
    from_environment: frozenset[str] = frozenset()  # options that nobody has typed
    recursive: bool = False
    may_be_empty: bool = False  # a folder without jobs is fine
    changed_since: str | None = None  # a commit
    ask: AskForInputs = ask_nobody  # gets missing inputs
    has_ledger: bool = False  # the runs hold the data of their files
    secrets_elsewhere: bool = False  # a worker has the secret inputs
    sends_nothing: bool = False  # a missing secret is fine
    planned: Mapping[RunName, Mapping[str, Json]] = field(default_factory=dict)  # inputs of the only runs wanted


class RunSpec(Struct, frozen=True, kw_only=True):
    """A run that could begin. The rest is as in `Plan`."""

    job: Job
    sources: Mapping[str, str]  # the texts of all its files, by name
    target: Target
    inputs: dict[str, Json]
    case: Case | None = None
    case_index: int | None = None  # among all cases of the job
    digest: str | None = None  # of the stored plan that it comes from
    plan_key: str | None = None  # of that plan's file
    elements: tuple[ProcessElement, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    unchecked: bool = False
    written: Mapping[str, Json] = field(default_factory=dict)  # what its files hold, by name, if somebody asked
    variables: Mapping[str, str] = field(default_factory=dict)  # of the environment, by the secret inputs
    case_secrets: tuple[str, ...] = ()  # secret inputs that the case gave
    refused: tuple[RefusedStart, ...] = ()

    @property
    def name(self) -> RunName:
        return self.job.name, self.case.name if self.case else None, self.target.name

    @property
    def job_case(self) -> str:
        """`job[case]`."""
        return job_and_case(self.job.name, self.case.name if self.case else None)

    @property
    def title(self) -> str:
        """The run's name in reports: `job[case]@target`."""
        return f"{self.job_case}@{self.target.name}"

    def inputs_as_given(self) -> dict[str, str]:
        """The inputs, but for secret ones, that neither the case nor a default gave, as `-i` takes them."""
        usual = {declared.name: declared.default for declared in self.job.inputs if not declared.required}
        usual |= self.case.inputs if self.case else {}
        known = {name: canonical(value) for name, value in usual.items()}
        return {
            declared.name: _as_option(declared, value)
            for declared in self.job.inputs
            if not declared.secret
            and declared.name in self.inputs
            and canonical(value := self.inputs[declared.name]) != known.get(declared.name)
        }

    def plan(self, target: TargetName, secrets: Secrets | None = None) -> Plan:
        """The plan at `target`, as a run has it that is not alone there; `secrets` learns its secret inputs."""
        case, index = self.case, self.case_index
        made = plan(
            self.job,
            sources=self.sources,
            inputs=self.inputs,
            target=target,
            secrets=Secrets() if secrets is None else secrets,
            case=None if case is None or index is None else ChosenCase(name=case.name, index=index),
        )
        known = replace(made, elements=self.elements, versions=self.versions, unchecked=self.unchecked)
        return replace(known, refused=self.refused, alone=False, times=self.target.times)


def _as_option(declared: Input, value: Json) -> str:
    """A value as `-i` takes it: a text as it is where that is read as this text, all else as JSON."""
    if isinstance(value, str):
        with suppress(inputs.UnfitError):
            if inputs.fit(declared, value, is_text=True) == value:
                return value
    return canonical(value)


class RunSet(Struct, frozen=True, kw_only=True):
    """The runs that a command line selects."""

    runs: tuple[RunSpec, ...]
    warnings: tuple[Problem, ...] = ()
    nothing: str = NOTHING  # why there are no runs
    notes: tuple[str, ...] = ()  # lines for whoever carries them out
    not_read: str = ""  # the line on jobs in folders below
    unchecked: str = ""  # the line on sites without a catalogue
    names: frozenset[str] = frozenset()  # all `job[case]` of the files, selected or not
    missing_needs: tuple[MissingNeed, ...] = ()  # the ledger may know them
