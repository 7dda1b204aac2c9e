"""The runs that a command was to begin, stored with its first run, so that those that it never began can be named."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem
from runner.foundation.sentences import first_few as first_of
from runner.foundation.sentences import job_and_case, plural
from runner.foundation.shell_words import shell_words
from runner.foundation.values import compact
from runner.planning.plan import stored
from runner.project.named_targets import name_of
from runner.reports.next_steps import NextStep, confirmed, given_from_files, sites_of, to_be_given, verb_command
from runner.reports.safe import clean
from runner.runs.events import RunStatus
from runner.runs.evidence import StoredValue
from runner.runs.result import RunResult
from runner.runs.store import LocalRunStore, Part, RunStore, StoreError
from runner.runs.stored_runs import RunName, StoredRun, command_of, newest_begun
from runner.secrets.redact import Secrets

_MOST_TITLES: Final = 5
_ONCE_MORE: Final = "and once more its runs that did not pass, if any, with their steps that must happen only once"

ONLY_APPLY: Final = "these are runs of an `apply`: what it never began, if anything, only `runner apply` begins"


class PlannedRun(Struct, frozen=True, kw_only=True):
    """A run that a command was to begin."""

    file: str
    job: str
    case: str | None
    target: str
    rerun_of: str | None = None  # the stored run that it was to repeat
    inputs: dict[str, StoredValue] | None = None  # without secrets; None: a value holds a secret
    secrets: tuple[str, ...] = ()  # inputs that hold a secret, and secret inputs that no variable and no case gave
    targets_file: str | None = None  # as the command named it
    plan_key: str | None = None  # of the file of plans that it comes from
    plan: dict[str, StoredValue] | None = None  # as that file has it

    @property
    def title(self) -> str:
        return f"{job_and_case(self.job, self.case)}@{self.target}"

    @property
    def key(self) -> RunName:
        return self.job, self.case, self.target


_decoder = msgspec.json.Decoder(tuple[PlannedRun, ...])


class CommandPlan(Struct, kw_only=True):
    """What a command is to begin. `reruns` are the runs that its first repeat, in order; `secrets` are never stored."""

    specs: Sequence[RunSpec]
    reruns: Sequence[str] = ()
    targets_file: Path | None
    secrets: Callable[[], Secrets]
    _is_noted: bool = False

    def note(self, store: LocalRunStore, run: str) -> None:
        """Store it with the first run that begins. Where that cannot be stored, only a later hint is lost."""
        if self._is_noted:
            return
        self._is_noted = True
        if len(self.specs) > 1:
            secrets, file = self.secrets(), self.targets_file and str(self.targets_file)
            pairs = zip_longest(self.specs, self.reruns)
            planned = [replace(_planned(spec, rerun_of, secrets), targets_file=file) for spec, rerun_of in pairs]
            with suppress(StoreError):
                store.put(run, Part.PLANNED, msgspec.json.encode(planned).decode())
                store.hold_command(run)


def _planned(spec: RunSpec, rerun_of: str | None, secrets: Secrets) -> PlannedRun:
    secret = [declared.name for declared in spec.job.inputs if declared.secret]
    inputs = {name: value for name, value in spec.inputs.items() if name not in secret}
    own = {*spec.variables, *spec.case_secrets}
    held = [name for name, value in inputs.items() if secrets.appears_in_json(compact(value).encode())]
    plan = None if spec.plan_key is None else stored(spec.plan(name_of(spec.target)))
    is_whole = not held and (plan is None or not secrets.appears_in_json(compact(plan).encode()))
    return PlannedRun(
        file=spec.job.file,
        job=spec.job.name,
        case=spec.case.name if spec.case else None,
        target=spec.target.name,
        rerun_of=rerun_of,
        inputs=inputs if is_whole else None,
        secrets=(*held, *(name for name in secret if name in spec.inputs.keys() - own)),
        plan_key=spec.plan_key,
        plan=plan if is_whole else None,
    )


class LackingCommand(Struct, frozen=True, kw_only=True):
    """A command that ended before it began all of its runs, by the first of its runs, and those that it never began."""

    first: str
    lacking: Sequence[PlannedRun]


def never_begun(run: StoredRun) -> list[PlannedRun]:
    """What neither the command of `run`, if that is over, nor a later command has begun. Ids sort by time."""
    store, command = run.store, command_of(run.store, run.id) or run.id
    firsts = [] if store.name.is_fleet else [name for name in store.runs(since=command) if name <= run.id]
    for first in reversed(firsts):
        planned = _planned_with(store, first)
        if planned and (first == run.id or command_of(store, first) == command):
            begun = newest_begun(store, since=first).keys() | _taken(store, since=first)
            return [each for each in planned if each.key not in begun]
    return []


def lacking_commands(store: RunStore, *, since: str = "") -> list[LackingCommand]:
    """The commands since the run `since` that never began some of their runs."""
    found = [] if store.name.is_fleet else store.runs(since=since)
    plans = [(first, planned) for first in found if (planned := _planned_with(store, first))]
    newest = newest_begun(store, since=plans[0][0]) if plans else {}
    taken = _taken(store, since=plans[0][0]) if plans else frozenset()
    commands_found = []
    for first, planned in plans:
        if lacking := [run for run in planned if newest.get(run.key, "") < first and run.key not in taken]:
            commands_found.append(LackingCommand(first=first, lacking=lacking))
    return commands_found


def _taken(store: RunStore, *, since: str) -> frozenset[RunName]:
    """What commands that are under way are still going to begin."""
    firsts = [run for run in store.runs(since=since) if store.is_command_under_way(run)]
    return frozenset(each.key for run in firsts for each in _planned_with(store, run, is_over=False))


def _planned_with(store: RunStore, first: str, *, is_over: bool = True) -> tuple[PlannedRun, ...]:
    """What the command with the first run `first` was to begin; nothing while it is under way, if `is_over`."""
    try:
        planned = _decoder.decode(store.get(first, Part.PLANNED))
    except (StoreError, msgspec.DecodeError):
        return ()
    return () if is_over and store.is_command_under_way(first) else planned


def lacking_steps(lacking: Sequence[PlannedRun], run: RunResult, *, waits: bool = False) -> list[NextStep]:
    """The command for what the command of `run` never began, if anything. `waits`: `run` has to end before."""
    if not lacking:
        return []
    titles = first_of([clean(each.title) for each in lacking], _MOST_TITLES)
    does = f"carries out {plural(len(lacking), 'run')} of the same command that never began: {titles}; {_ONCE_MORE}"
    if waits:
        does = f"when run {clean(run.id)} has ended: {does}"
    if all(each.inputs is None for each in lacking):
        does = "carries out what the same command never began, where you give it its inputs and options"
        return [NextStep(command=command, does=does) for command in commands(lacking)]
    return [NextStep(command=_rerun(lacking, run), does=does)]


def _rerun(lacking: Sequence[PlannedRun], run: RunResult) -> str:
    """The `rerun` as it can be typed, with the secrets that come anew."""
    own = () if run.status is RunStatus.PASSED else to_be_given(run)
    given = given_from_files([*own, *(name for each in lacking for name in each.secrets)])
    sites = sites_of(replace(run, targets_file=run.targets_file or lacking[0].targets_file))  # it may have no events
    return f"{verb_command('rerun', run.id, run.store)} --failed{sites}{given}{confirmed(run)}"


def lacking_problem(lacking: Sequence[PlannedRun], run: RunResult) -> list[Problem]:
    """Why a report of all runs of a command is not of all that it was to begin."""
    message = f"the command ended before these runs began: {', '.join(clean(each.title) for each in lacking)}"
    hint = "; ".join(f"`{step.command}` {step.does}" for step in lacking_steps(lacking, run))
    return [Problem(code="E312", message=message, hint=hint)] if lacking else []


def commands(runs: Iterable[PlannedRun]) -> Iterator[str]:
    """The commands that carry these runs out, a command for each file and target; secrets are given from files."""
    grouped: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in runs:
        grouped.setdefault((run.file, run.target), []).append(run)
    for (file, target), members in grouped.items():
        words = ["runner", "run", file, "-t", target]
        for run in members:
            words += ["-k", job_and_case(run.job, run.case)] if run.case is not None else []
        secrets = given_from_files(name for run in members for name in run.secrets)
        words += ["--targets", members[0].targets_file] if members[0].targets_file is not None else []
        yield f"{shell_words(map(clean, words))}{secrets}"
