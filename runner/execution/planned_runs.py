"""The runs that a command was to begin, stored with the first that began, so that those that never did can be named.

Only runs of job files: a stored plan is carried out once, as a whole. Nothing here begins a run.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from runner.execution.run_spec import RunSpec, run_name
from runner.reports.safe import clean
from runner.runs.store import Part, RunStore, StoreError
from runner.runs.stored_runs import RunName, StoredRun, names_since


class PlannedRun(Struct, frozen=True, kw_only=True):
    """`name` is `job[case]`."""

    file: str
    name: str
    job: str
    case: str | None
    target: str

    @property
    def key(self) -> RunName:
        return self.job, self.case, self.target


_decoder = msgspec.json.Decoder(tuple[PlannedRun, ...])


def note(store: RunStore, run: str, specs: Sequence[RunSpec]) -> None:
    """Store with `run` what its command is to begin. Where that cannot be stored, only a later hint is lost."""
    if len(specs) > 1 and all(spec.plan_key is None for spec in specs):
        planned = [
            PlannedRun(
                file=spec.job.file,
                name=run_name(spec.job, spec.case),
                job=spec.job.name,
                case=spec.case.name if spec.case else None,
                target=spec.target.name,
            )
            for spec in specs
        ]
        with suppress(StoreError):
            store.put(run, Part.PLANNED, msgspec.json.encode(planned).decode())


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
    """What carries them out, a command for each file and target."""
    grouped: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in runs:
        grouped.setdefault((run.file, run.target), []).append(run)
    for (file, target), members in grouped.items():
        words = ["runner", "run", file, "-t", target]
        for run in members:
            words += ["-k", run.name] if run.case is not None else []
        yield shlex.join(map(clean, words))
