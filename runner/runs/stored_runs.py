"""Stored runs, read back: a run as a whole, or of all of them how they ended."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import listed
from runner.foundation.values import JsonObject
from runner.runs.events import VERSION, Line, RunStarted, RunStatus, run_started
from runner.runs.history import PastRun, past_runs
from runner.runs.journal import StoredJournal, parse, parse_line
from runner.runs.result import Progress, RunResult, fold
from runner.runs.store import LocalRunStore, NotReachedError, Part, RunStore, StoreError

RunName: TypeAlias = tuple[str, str | None, str]  # a job, a case or None, and a target: `job[case]@target`
LAST = "last"  # the name of the newest run
_NEWEST = 20  # how many runs are searched for open runs, besides a run for each name
_BEYOND = "nobody can say any more what this run did, so it cannot be resumed; the site's process log can show it"
"""What follows from a journal that is not as it was written."""


class NotBegunError(UsageError):
    """A run of a fleet that has no events: it waits, or was refused or cancelled before it began."""

    def __init__(self, problem: Problem, *, run: str) -> None:
        super().__init__(problem)
        self.run = run


class _RunInReport(Struct):
    events: str


class _Report(Struct):
    """The hash of the last line that a run's own report knows; its other 27 MB are not read."""

    runs: tuple[_RunInReport, ...]


class _Named(Struct):
    name: str


class _Planned(Struct):
    """The name of a run by its plan, which is stored before its first event."""

    job: str
    target: _Named
    case: _Named | None = None


_report = msgspec.json.Decoder(_Report)
_plan = msgspec.json.Decoder(_Planned)


class StoredRun(Struct, frozen=True, kw_only=True):
    """A stored run, read back."""

    store: RunStore
    id: str
    lines: tuple[Line, ...]
    reading: StoredJournal
    result: RunResult
    progress: Progress  # what a resumed run goes on from
    flaw: int | None  # the number of the first line whose chain does not hold
    cut: str = ""  # what knows a line that is not there
    is_running: bool = False  # a process is writing its events now

    @property
    def has_report(self) -> bool:
        """Whether its own report is there, which knows its last line; a fleet stores none."""
        try:
            return self.store.name.is_fleet or bool(self.store.get(self.id, Part.REPORT))
        except StoreError:
            return False

    @property
    def damage(self) -> str:
        """The sentence on a journal that is not as it was written."""
        place = self.store.place(self.id, Part.EVENTS)
        if self.reading.is_foreign:
            return f"the format of {place} is not {VERSION}: another version of the program wrote it"
        line = f"line {self.flaw} of {place} does not match"
        if self.cut and not self.lines:
            return f"{place} has lost its lines: {self.cut}"
        if self.cut:
            return f"{line}: {self.cut}; it was changed, or the lines after it are gone"
        return f"{line}: it, or the line before it, was changed after it was written"

    @property
    def left_to_do(self) -> str:
        """What a person can do about a journal that is not as it was written."""
        return "use that version to show and to resume the run" if self.reading.is_foreign else _BEYOND


def load(store: RunStore, run: str) -> StoredRun:
    """Read a run's journal. Raises `UsageError` where it cannot be read."""
    is_running = store.is_being_written(run)
    with refused_as(f"the events of run {run} cannot be read"):
        reading = parse(store.events(run))
    progress = Progress(run=run, store=store.name)
    for line in reading.lines:
        progress.take(line)
    cut = "" if reading.flaw is not None else _lost_end(store, run, reading.lines)
    return StoredRun(
        store=store,
        id=run,
        lines=reading.lines,
        reading=reading,
        result=progress.result(),
        progress=progress,
        flaw=max(len(reading.lines), 1) if cut else reading.flaw,
        cut=cut,
        is_running=is_running,
    )


def load_if_readable(store: RunStore, run: str) -> StoredRun | None:
    """The same run; None where it cannot be read."""
    try:
        return load(store, run)
    except UsageError:
        return None


def find(store: RunStore, name: str) -> StoredRun:
    """The run called `name`: `last`, its id, or a unique prefix of it. Raises `UsageError`."""
    found = [*islice(store.newest(), 1)] if name == LAST else [run for run in store.newest() if run.startswith(name)]
    if not found and len(waiting := store.not_begun(name)) == 1:
        run, why = waiting[0]
        hint = f"nothing was sent; `runner status {run}` shows it"
        raise NotBegunError(Problem(code="E156", message=f"run {run} {why}", hint=hint), run=run)
    if not any(store.newest()):
        hint = "`runner run SPEC` begins a run; `--runs DIR` names its place"
        if store.name.is_fleet:
            hint = "`runner apply SPEC --db URL` queues runs; runs of this machine are in `--runs DIR`"
        raise _unknown(f"there is no run in {store.name}", hint)
    if not found:
        raise _unknown(f"no run in {store.name} begins with `{name}`", "`runner runs` lists them; `last` is the newest")
    if len(found) > 1:
        raise _unknown(f"{len(found)} runs begin with `{name}`", f"give more of the id: {listed(found)}")
    return load(store, found[0])


def command_of(store: RunStore, run: str) -> str | None:
    """The id of the command that began a stored run, if known."""
    return _command(end_lines(store, run))


def runs_of_command(run: StoredRun) -> list[StoredRun]:
    """All runs of the command that began `run`, the oldest first; `run` alone where that is not known."""
    command = _command(run.lines)
    if command is None:
        return [run]
    later = run.store.runs(since=min(command, run.id))
    names = (name for name in later if name == run.id or _command(end_lines(run.store, name)) == command)
    return [run if name == run.id else load(run.store, name) for name in names]


def was_queued(run: StoredRun) -> bool:
    """Whether a worker of a fleet carried the run out: no command began it."""
    first = run_started(run.lines)
    return first is not None and first.command is None


class FirstEvents:
    """The first events of stored runs, each read once."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._read: dict[str, RunStarted] = {}

    def of(self, run: str) -> RunStarted | None:
        """None where it was not written, or cannot be read."""
        if run not in self._read and (began := run_started(end_lines(self._store, run)[:1])) is not None:
            self._read[run] = began
        return self._read.get(run)

    def origin(self, run: str) -> tuple[str, RunStarted | None]:
        """The first of the runs that `run` is a rerun of: an `apply` ordered it, or it is no rerun; perhaps itself."""
        began = self.of(run)
        while began is not None and began.applied is None and began.rerun_of is not None and began.rerun_of < run:
            run = began.rerun_of
            began = self.of(run)
        return run, began


def reruns_of(store: RunStore, runs: Collection[str]) -> dict[str, str]:
    """The stored runs that repeat any of `runs`, each with that run; the oldest first.

    A run that `apply` has ordered is also repeated by later runs of its job that `apply` has ordered, and by a run of
    that name without an event.
    """
    first_events = FirstEvents(store)

    def attempt_at(run: str) -> tuple[str | None, ...]:
        origin, began = first_events.origin(run)
        ordered = None if began is None else began.applied
        if began is None or ordered is None:
            return (origin,)
        return began.job, began.case, began.target.name, ordered.ledger, ordered.fleet, ordered.for_key

    wanted = dict[tuple[str | None, ...], str]()
    for run in sorted(runs):
        wanted.setdefault(attempt_at(run), run)
    later = (name for name in store.runs(since=min(runs, default="")) if name not in runs)
    by_name = {attempt[:3]: run for attempt, run in wanted.items()}

    def repeated_by(name: str) -> str | None:
        if first_events.of(name) is None and store.is_being_written(name):
            return by_name.get(planned_name(store, name) or ())
        return wanted.get(attempt_at(name))

    found = {name: repeated_by(name) for name in later}
    return {name: run for name, run in found.items() if run is not None and name > run}


def planned_name(store: RunStore, run: str) -> RunName | None:
    """The name of a run by its plan; None where that cannot be read."""
    with suppress(StoreError, msgspec.DecodeError):
        plan = _plan.decode(store.get(run, Part.PLAN))
        return plan.job, plan.case.name if plan.case else None, plan.target.name
    return None


def passed_by_digest(store: RunStore) -> dict[str, list[str]]:
    """The runs that passed, the newest first, by the digest of their job, inputs and target."""
    found: dict[str, list[str]] = {}
    for run in store.newest():
        result = _from_ends(store, run)
        if result is not None and result.status is RunStatus.PASSED:
            found.setdefault(result.digest, []).append(run)
    return found


def failed_runs(newest: Mapping[RunName, tuple[str, str]]) -> dict[RunName, str]:
    """What did not pass when it ran last, with the run's id; a run without an end has not passed."""
    return {name: run for name, (run, status) in newest.items() if status != RunStatus.PASSED}


def newest_runs(store: RunStore, files: Mapping[str, str]) -> dict[RunName, tuple[str, str]]:
    """The id and the status of what ran last, by name: of deleted runs by their history, of unreadable runs nothing.

    `files` are those of jobs, by name: runs of other jobs that have such a name are none of theirs.
    """
    return {
        name: (run, status)
        for name, run, status, file in _by_name(store)
        if status is not None and not is_of_other_job(name[0], file, files)
    }


def is_of_other_job(job: str, file: str | None, files: Mapping[str, str]) -> bool:
    """Whether the run of a `job` in `file`, if known, is of another file than the job has now, and that is there still.

    The file of a job that was moved or renamed is not there any more.
    """
    return file not in (None, files.get(job, file)) and Path(str(file)).is_file()


def newest_begun(store: RunStore, *, since: str) -> dict[RunName, str]:
    """The id of what began last, by name, from the run `since` on; unreadable runs count, too."""
    return {name: run for name, run, _, _ in _by_name(store, since=since)}


def _by_name(store: RunStore, *, since: str = "") -> Iterator[tuple[RunName, str, str | None, str | None]]:
    """The name, id, status and file of each run, the oldest first; no status where the first line is lost."""
    stored, deleted = set(store.runs(since=since)), _past_runs(store)
    for run in sorted(each for each in stored | deleted.keys() if each >= since):
        result = _from_ends(store, run) if run in stored else None
        if result is not None:
            yield _name(result), run, result.status, result.file
        elif run in deleted:
            past = deleted[run]
            yield (past.job, past.case, past.target), run, past.status, None
        elif _has_lines(store, run) and (name := planned_name(store, run)) is not None:
            yield name, run, None, None


def _has_lines(store: RunStore, run: str) -> bool:
    with suppress(StoreError):
        return bool(store.ends(run))
    return False


def left_open(store: RunStore, inputs: Mapping[RunName, JsonObject]) -> dict[RunName, StoredRun]:
    """By name the newest run with these inputs, if it broke off or is in doubt. Only the newest runs are read."""
    found: dict[RunName, str | None] = {}
    for run in islice(store.newest(), len(inputs) + _NEWEST):
        result = _from_ends(store, run)
        if result is not None and inputs.get(name := _name(result)) == result.inputs:
            is_open = not result.finished or result.status == RunStatus.UNKNOWN
            found.setdefault(name, run if is_open else None)
    runs = {name: load_if_readable(store, run) for name, run in found.items() if run is not None}
    return {name: run for name, run in runs.items() if run is not None and not run.is_running}


def _past_runs(store: RunStore) -> dict[str, PastRun]:
    """The history by the ids of its runs; without a history that can be read nothing is known."""
    try:
        return {run.run: run for run in past_runs(store.history())}
    except StoreError:
        return {}


def run_name(store: RunStore, run: str) -> RunName | None:
    """The name of a stored run; None where its first line is lost."""
    result = _from_ends(store, run)
    return None if result is None else _name(result)


def _from_ends(store: RunStore, run: str) -> RunResult | None:
    """A run by its first and its last line; None where the first cannot be read."""
    result = fold(end_lines(store, run), run=run, store=store.name)
    return result if result.job else None


def end_lines(store: RunStore, run: str) -> list[Line]:
    """The first and the last line of a run, as far as they can be read."""
    try:
        lines = [parse_line(written) for written in store.ends(run)]
    except StoreError:
        return []
    return [line for line in lines if line is not None]


def _command(lines: Sequence[Line]) -> str | None:
    first = run_started(lines)
    return first.command if first is not None else None


def _name(result: RunResult) -> RunName:
    return result.job, result.case, result.target.name


def prepare_store(store: LocalRunStore) -> None:
    """Make `store` ready for new runs. Raises `UsageError` where it cannot be written."""
    with writing(store):
        store.prepare()


@contextmanager
def writing(store: RunStore) -> Iterator[None]:
    """Where the store cannot be written here, the command is refused: raises `UsageError`."""
    try:
        yield
    except StoreError as error:
        raise unwritable(store, error) from error


@contextmanager
def refused_as(what: str) -> Iterator[None]:
    """Raise `UsageError` where the store refuses; `what` says what cannot be done. It passes `NotReachedError` on."""
    try:
        yield
    except NotReachedError:
        raise
    except StoreError as error:
        raise UsageError(Problem(code="E151", message=f"{what}: {error}")) from error


def unwritable(store: RunStore, why: StoreError) -> UsageError:
    """The store of runs refuses; nothing was sent."""
    hint = why.hint or "choose another folder with `--runs DIR`"
    return UsageError(Problem(code="E151", message=f"the runs folder {store.name} cannot be written: {why}", hint=hint))


def _lost_end(store: RunStore, run: str, lines: Sequence[Line]) -> str:
    """What knows of a line that is gone, as no later line would show: the run's own report, or the history."""
    with suppress(StoreError, ValueError, LookupError, RecursionError):
        head = _report.decode(store.get(run, Part.REPORT)).runs[0].events
        is_there = any(head == f"sha256:{line.sha256}" for line in lines)
        return "" if is_there else "the run's report knows another last line"
    if lines or store.name.is_fleet:
        return ""
    if run in _past_runs(store):
        return "the history of runs knows its end"
    try:
        store.get(run, Part.EVENTS)
    except StoreError:
        return "its plan is there"
    return ""


def _unknown(message: str, hint: str) -> UsageError:
    return UsageError(Problem(code="E152", message=message, hint=hint))
