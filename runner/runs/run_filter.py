"""Which of the stored runs a command is about: `--job`, `--target`, `--status` and `--since`."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from runner.foundation import durations
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import job_and_case
from runner.foundation.suggestions import suggest
from runner.runs.status import RUNNING
from runner.runs.store import RunStore
from runner.runs.stored_runs import StoredRun, load, run_name

_DAYS = lazy_pattern(r"([0-9]{1,5})d")
_DAY = 24 * 3600.0
_TIME_DIGITS = 12  # hexadecimal digits of a run's id, a UUIDv7, that are the milliseconds at which it began


class RunFilter(Struct, frozen=True, kw_only=True):
    """What is empty lets every run pass. `since` is in seconds since the epoch."""

    jobs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: float | None = None

    def selected(self, store: RunStore, *, before: float | None = None) -> Iterator[StoredRun]:
        """The stored runs that pass, the newest first; with `before` the earlier ones. Of others only ends are read."""
        for run in store.newest():
            moment = _began(run)
            if (before is not None and moment >= before) or (self.since is not None and moment < self.since):
                continue
            if not self._may_pass(store, run):
                continue
            found = load(store, run)
            if not self.statuses or (RUNNING if found.is_running else str(found.result.status)) in self.statuses:
                yield found

    def why_nothing(self, store: RunStore) -> str:
        """What to say where no run passes: of a name that no run has, the nearest that runs have."""
        found = [name for run in store.runs() if (name := run_name(store, run)) is not None]
        jobs = {name for job, case, _ in found for name in (job, job_and_case(job, case))}
        known = [("--job", self.jobs, jobs), ("-t", self.targets, {target for _, _, target in found})]
        typos = [
            f"`{option} {near}` for `{name}`"
            for option, names, theirs in known
            for name in names
            if name not in theirs and (near := suggest(name, theirs))
        ]
        return "no run fits these filters" + (f"; did you mean {' and '.join(typos)}?" if typos else "")

    def _may_pass(self, store: RunStore, run: str) -> bool:
        if not (self.jobs or self.targets):
            return True
        name = run_name(store, run)
        if name is None:
            return False
        job, case, target = name
        is_job = not self.jobs or job in self.jobs or job_and_case(job, case) in self.jobs
        return is_job and (not self.targets or target in self.targets)


def run_filter(given: Mapping[str, object]) -> RunFilter:
    """The filter that the options of a command ask for, by their names. Raises `UsageError`."""
    since = given["since"]
    return RunFilter(
        jobs=_texts(given["job"]),
        targets=_texts(given["target"]),
        statuses=_texts(given["status"]),
        since=None if since is None else _moment(str(since)),
    )


def age(written: str, *, option: str) -> float:
    """Seconds, of `30d` or a duration. Raises `UsageError`."""
    seconds = _age(written)
    if seconds is None:
        hint = "write a number above 0 and a unit: `30d`, `12h`, `5m`"
        raise UsageError(Problem(code="E150", message=f"`{option} {written}` is no age", hint=hint))
    return seconds


def _began(run: str) -> float:
    """Seconds since the epoch, by the run's id; infinite where it holds no time."""
    try:
        return int(run.replace("-", "")[:_TIME_DIGITS], 16) / 1000
    except ValueError:
        return float("inf")


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _moment(written: str) -> float:
    seconds = _age(written)
    if seconds is not None:
        return time.time() - seconds
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        hint = "write an age, `12h` or `7d`, or a moment in UTC: `2026-01-31`, `2026-01-31T09:00`"
        message = f"`--since {written}` is neither an age nor a moment"
        raise UsageError(Problem(code="E150", message=message, hint=hint)) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _age(written: str) -> float | None:
    days = _DAYS.fullmatch(written)
    return int(days[1]) * _DAY or None if days else durations.seconds(written)
