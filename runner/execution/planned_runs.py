"""The runs that a command was to begin, stored with the first that began, so that those that never did can be named,
or carried out once more where they were to be reruns.

Not those of a stored plan, which is carried out once, as a whole. Nothing here begins a run.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest

import msgspec
from msgspec import Struct

from runner.execution.run_spec import RunSpec
from runner.foundation.sentences import job_and_case
from runner.reports.safe import clean
from runner.runs.store import Part, RunStore, StoreError
from runner.runs.stored_runs import RunName, StoredRun, names_since


class PlannedRun(Struct, frozen=True, kw_only=True):
    """`rerun_of` is the stored run that it was to carry out once more."""

    file: str
    job: str
    case: str | None
    target: str
    rerun_of: str | None = None

    @property
    def key(self) -> RunName:
        return self.job, self.case, self.target


_decoder = msgspec.json.Decoder(tuple[PlannedRun, ...])


class CommandPlan(Struct, kw_only=True):
    """What a command is to begin. `reruns` are the stored runs that these carry out once more, in the same order."""

    specs: Sequence[RunSpec]
    reruns: Sequence[str] = ()
    _is_noted: bool = False

    def note(self, store: RunStore, run: str) -> None:
        """Store it with the first run that begins. Where that cannot be stored, only a later hint is lost."""
        if self._is_noted:
            return
        self._is_noted = True
        if len(self.specs) > 1 and all(spec.plan_key is None for spec in self.specs):
            planned = [_planned(spec, rerun_of) for spec, rerun_of in zip_longest(self.specs, self.reruns)]
            with suppress(StoreError):
                store.put(run, Part.PLANNED, msgspec.json.encode(planned).decode())


def _planned(spec: RunSpec, rerun_of: str | None) -> PlannedRun:
    return PlannedRun(
        file=spec.job.file,
        job=spec.job.name,
        case=spec.case.name if spec.case else None,
        target=spec.target.name,
        rerun_of=rerun_of,
    )


def never_begun(runs: Sequence[StoredRun]) -> list[PlannedRun]:
    """Of the command that began `runs`, the oldest first: what neither it nor a later command has begun."""
    first = runs[0]
    try:
        planned = _decoder.decode(first.store.get(first.id, Part.PLANNED))
    except (StoreError, msgspec.DecodeError):
        return []
    begun = names_since(first.store, first.id)
    return [run for run in planned if run.key not in begun]


def commands(runs: Iterable[PlannedRun]) -> Iterator[str]:
    grouped: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in runs:
        grouped.setdefault((run.file, run.target), []).append(run)
    for (file, target), members in grouped.items():
        words = ["runner", "run", file, "-t", target]
        for run in members:
            words += ["-k", job_and_case(run.job, run.case)] if run.case is not None else []
        yield shlex.join(map(clean, words))
