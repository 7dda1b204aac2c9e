"""What a command line wants, and the runs that come of it: the records that stand between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from runner.catalogue.model import ProcessElement
from runner.cli.stored_runs import RunName
from runner.cli.verb import from_environment
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.job.model import Case, Job
from runner.planning.plan import ChosenCase
from runner.runs.store import RunStore
from runner.targets.model import Target

NOTHING = "nothing was selected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for. `targets` are names in the order given; `last_failed` is the store
    of runs that is searched for what did not pass, None where that does not matter. `from_environment` are the options
    that nobody has typed.
    """

    specs: Sequence[Path]
    targets: Sequence[str] = ()
    targets_file: Path | None = None
    catalogue: Path | None = None
    given: Sequence[str] = ()
    inputs_file: Path | None = None
    tags: str | None = None
    keywords: Sequence[str] = ()
    last_failed: RunStore | None = None
    confirmed: Sequence[str] = ()
    from_environment: frozenset[str] = frozenset()
    recursive: bool = False


def wanted(context: click.Context) -> Wanted:
    """What the options of a command ask for."""
    given = context.params
    return Wanted(
        specs=given["specs"],
        targets=tuple(dict.fromkeys(given["target"])),
        targets_file=given["targets"],
        catalogue=given.get("catalogue"),
        given=given["given"],
        inputs_file=given["inputs_file"],
        tags=given["tags"],
        keywords=given["keywords"],
        last_failed=given["runs"] if given.get("last_failed") else None,
        confirmed=given.get("confirm", ()),
        recursive=given["recursive"],
        from_environment=frozenset(max(one.opts, key=len) for one in from_environment(context)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A run that could begin. `sources` are the texts of all its files by their names, `source` that of the job's own.

    `case_index` counts the cases of the job from 0, also those that were not selected. `digest` is that of a kept plan
    that the run comes from, and `plan_key` the key of its file; None of a run that comes from its files. `elements` are
    those of the designs that names in it may lead to.
    """

    job: Job
    source: str
    sources: Mapping[str, str]
    target: Target
    inputs: dict[str, Json]
    case: Case | None = None
    case_index: int | None = None
    digest: str | None = None
    plan_key: str | None = None
    elements: tuple[ProcessElement, ...] = ()

    @property
    def name(self) -> RunName:
        return self.job.name, self.case.name if self.case else None, self.target.name

    @property
    def title(self) -> str:
        """What the run is called in reports: `job[case]@target`."""
        job, case, target = self.name
        return f"{job}[{case}]@{target}" if case is not None else f"{job}@{target}"

    @property
    def chosen_case(self) -> ChosenCase | None:
        if self.case is None or self.case_index is None:
            return None
        return ChosenCase(name=self.case.name, index=self.case_index)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSet:
    """`nothing` says why there are no runs, where there are none; `told` is talk for whoever carries them out;
    `left_below` the line on jobs that were not read.
    """

    runs: tuple[RunSpec, ...]
    warnings: tuple[Problem, ...] = ()
    nothing: str = NOTHING
    told: tuple[str, ...] = ()
    left_below: str = ""
