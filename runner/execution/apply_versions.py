"""The versions of an `apply`: what the ledger and the stored runs know of each, and which waits for which.

The ledger learns here how a run ended, if whoever carried it out could not write that down.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath

from msgspec import Struct, field
from msgspec.structs import replace

from runner.execution.run_spec import RunSpec
from runner.execution.run_versions import versions_of
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import listed
from runner.ledger.decisions import DONE, Decision, VersionState, decide, holds_up, known_state, needs_a_person
from runner.ledger.model import AppliedVersion, Ledger, LedgerEntry, VersionClaim
from runner.ledger.observing import ObservedEntry, RunObserver, Whereabouts, as_attempt
from runner.ledger.repeats import repeated_by
from runner.lint.jobs import MissingNeed, circle
from runner.project.named_targets import name_of
from runner.reports.safe import clean
from runner.runs.events import RunStarted, run_started
from runner.runs.stored_runs import RunName


class ApplyNeeds(Struct, frozen=True, kw_only=True):
    """What lets a version begin, by digests. A needed job that nobody applied has a digest that never passes."""

    waits: Mapping[str, Mapping[str, frozenset[str]]]  # versions that must have passed, by the jobs needed
    known: Mapping[str, ObservedEntry] = field(default_factory=dict)  # entries of the ledger
    without_file: frozenset[str] = frozenset()  # jobs of no file

    def lacking(self, digest: str, passed: Collection[str]) -> tuple[str, ...]:
        """The names of the needed jobs that have not passed."""
        return tuple(
            job
            for job, needed in self.waits[digest].items()
            if any(each not in passed and not self._has_passed(each) for each in needed)
        )

    def _has_passed(self, digest: str) -> bool:
        return digest in self.known and self.known[digest].entry.has_passed

    def hopeless(self, fresh: Collection[str], *, passed: Collection[str]) -> frozenset[str]:
        """Those of `fresh` that cannot begin, whatever the others come to. `passed` have passed, or still may."""
        hopeful = set(fresh)
        waiting: dict[str, list[str]] = {}
        for digest in fresh:
            for needed in self.waits[digest].values():
                for each in needed:
                    waiting.setdefault(each, []).append(digest)
        lost = [each for each in waiting if each not in hopeful and each not in passed and not self._has_passed(each)]
        while lost:
            for digest in waiting.get(lost.pop(), ()):
                if digest in hopeful:
                    hopeful.remove(digest)
                    lost.append(digest)
        return frozenset(fresh) - hopeful

    def states(self) -> dict[str, VersionState]:
        """The states of versions in the ledger that this command does not have."""
        return {digest: known_state(each) for digest, each in self.known.items()}

    def problems(
        self, decisions: Sequence[Decision], *, passed: Collection[str], queued: bool = False
    ) -> list[Problem]:
        """A problem for each version that waits for jobs that have not passed. `queued`: its run waits in a fleet."""
        return [
            _waiting(each.version, lacking, queued=queued, lost_files=self.without_file)
            for each in decisions
            if (lacking := self.lacking(each.digest, passed))
        ]


def _waiting(version: AppliedVersion, lacking: Sequence[str], *, queued: bool, lost_files: Collection[str]) -> Problem:
    jobs = listed([*map(clean, lacking)])
    has = "has" if len(lacking) == 1 else "have"
    if queued:
        message = f"`{clean(version.title)}` is blocked by {jobs}, which {has} not passed"
        hint = "settle that job, or change it and apply it: what waits for it begins as soon as it has passed"
        return Problem(code="E184", message=message, hint=hint, run=version.run)
    message = f"`{clean(version.title)}` is not carried out: it waits for {jobs}, which {has} not passed"
    hint = "see why that is so; when the job has passed at this target, `runner apply` carries out what waits for it"
    if gone := [job for job in lacking if job in lost_files]:
        first = clean(gone[0])
        hint = (
            f"name the file of `{first}`, too, or take `{first}` out of `needs`: no file of this command has that job"
        )
    return Problem(code="E184", message=message, hint=hint, run=version.run)


_NEVER = ""  # what a job waits for that is not there: no version has this digest


class ApplySet(Struct, kw_only=True):
    """The versions of a command, and what is known of them."""

    ledger: Ledger
    observer: RunObserver
    specs: Mapping[str, RunSpec]  # the runs, by the digests of their versions
    all: Sequence[AppliedVersion]
    retry: Collection[VersionState] = ()
    queues: bool = False  # a fleet carries them out
    passing: set[str] = field(default_factory=set)  # runs without an end that hold nobody up
    _newest: list[LedgerEntry] = field(default_factory=list)

    def decisions(self, *, writing: bool) -> list[Decision]:
        """What is to be done about each version. With `writing` the ledger learns it. Raises `UsageError`."""
        if writing:
            self._teach()
        found = self._observed(self.ledger.find(self.specs).values())
        unsettled = self.observer.observe(self.ledger.unsettled())
        self._newest = self.ledger.newest()
        own = {version.title: version.digest for version in self.all}
        others = [each for each in self._newest if own.get(each.version.title, "") not in ("", each.version.digest)]
        before = {each.entry.version.title: each for each in self.observer.observe(others)}
        lost = [each.entry.last.run for each in unsettled if self.queues or each.where is Whereabouts.LOST]
        self.passing = {run for run in lost if run is not None}
        before |= {each.entry.version.title: each for each in sorted(unsettled, key=needs_a_person) if holds_up(each)}
        new = [each for each in self.all if each.digest not in found]
        for version, stray in self._strays(new, unsettled):
            if stray.entry.version.digest != version.digest:
                before.setdefault(version.title, stray)
            else:
                found[version.digest] = stray
                before.pop(version.title, None)  # the run came later
                if writing:
                    self._add_attempts(stray)
        decided = partial(decide, retry=self.retry, queues=self.queues)
        return self._compared(
            [decided(each, known=found.get(each.digest), before=before.get(each.title)) for each in self.all]
        )

    def has_later_attempt(self, decision: Decision) -> bool:
        """Whether somebody has begun what the version does since it was decided on."""
        before = {each.entry.version.digest: each.entry for each in (decision.known, decision.before) if each}
        now = self._observed(self.ledger.find(before).values())
        return any(each.entry.attempts > before[digest].attempts for digest, each in now.items())

    def _strays(
        self, new: Sequence[AppliedVersion], unsettled: Sequence[ObservedEntry]
    ) -> Iterator[tuple[AppliedVersion, ObservedEntry]]:
        """Runs of `apply`, and open runs, that a lost ledger or a copy of it does not know, with their version of now.

        Runs of another plan are of an earlier version, which counts while they are under way or in doubt.
        """
        names = {(version.job, version.case, version.target): version for version in new}

        def is_same(name: RunName, began: RunStarted) -> bool:
            version, key = names[name], None if began.applied is None else began.applied.for_key
            spec = self.specs[version.digest]
            place = replace(name_of(spec.target), url=version.url)
            return key == version.key and began.digest == spec.plan(place).digest

        def is_own(name: RunName, began: RunStarted) -> bool:
            ledger = "" if began.applied is None else began.applied.ledger
            return PurePath(ledger).name == PurePath(self.ledger.name).name and is_same(name, began)

        known = {str(each.entry.last.run) for each in unsettled}
        for name, run in self.observer.strays(names, known=known, is_own=is_own).items():
            version, began = names[name], run_started(run.lines)
            if began is not None and is_same(name, began):
                yield version, as_attempt(run, version)
            elif run.is_running or run.result.finished or any(repeated_by(self.specs[version.digest].job, run)):
                digest = run.result.digest.removeprefix("sha256:")
                yield version, as_attempt(run, replace(version, digest=digest, key=None))

    def _add_attempts(self, found: ObservedEntry) -> None:
        """Write attempts down that the ledger does not have."""
        before = found.entry.attempts - len(found.reruns)
        claims = [
            VersionClaim(version=found.entry.version, attempt=attempt, known=before + number)
            for number, attempt in enumerate(found.reruns)
        ]
        if claims:
            with self.ledger.begin(claims):
                pass

    def _compared(self, decisions: Sequence[Decision]) -> list[Decision]:
        """The decisions; a version is marked as older where another came after it."""
        after: dict[str, LedgerEntry] = {}
        for each in decisions:
            later = each.before if each.state in DONE else None
            if later is not None and later.has_sent and later.entry.version.url == each.version.url:
                after[each.digest] = later.entry
        for key in {entry.version.key for entry in after.values()}:
            digests = [digest for digest, entry in after.items() if entry.version.key == key]
            with_key = versions_of([self.specs[digest] for digest in digests], key=key, base=Path())
            for digest, version in zip(digests, with_key, strict=True):
                if version.digest == after[digest].version.digest:
                    del after[digest]
        return [replace(each, is_older=True) if each.digest in after else each for each in decisions]

    def _observed(self, entries: Iterable[LedgerEntry]) -> dict[str, ObservedEntry]:
        return {each.entry.version.digest: each for each in self.observer.observe([*entries])}

    def _teach(self) -> None:
        """Write down ends that the ledger lacks, and forget attempts that sent nothing."""
        for each in self.observer.observe([*self.ledger.unsettled(), *self.ledger.find(self.specs).values()]):
            last = each.entry.last
            self._add_attempts(each)
            if last.run is not None and last.end is not None and each.has_changed:
                self.ledger.end(last.run, last.end)
            elif last.run is not None and last.end is None and each.where is Whereabouts.NEVER_BEGAN:
                self.ledger.release(last.run)

    def gone(self, names: frozenset[str], *, folders: Sequence[str], recursive: bool) -> list[LedgerEntry]:
        """The newest versions that were applied from any of the folders, and are none of its `names`, `job[case]`."""
        return [
            entry
            for entry in self._newest
            if entry.version.name not in names
            and any(_is_in(entry.version.folder, folder, recursive=recursive) for folder in folders)
        ]

    def at_other_targets(self) -> list[LedgerEntry]:
        """The newest versions of the same jobs, at the same addresses under other names of a target."""
        places = {(each.name, each.url) for each in self.all if each.url}
        targets = {each.target for each in self.all}
        newest = (entry for entry in self._newest if entry.version.target not in targets)
        return [entry for entry in newest if (entry.version.name, entry.version.url) in places]

    def check_needs(self, missing: Sequence[MissingNeed]) -> None:
        """Raise `UsageError` for needed jobs that neither a file nor the ledger has, at their targets."""
        if not missing:
            return
        known = {(each.version.job, each.version.target) for each in self.ledger.newest_with(self.all[0].key)}
        targets: dict[str, set[str]] = {}
        for version in self.all:
            targets.setdefault(version.job, set()).add(version.target)
        there = {job for job, _ in known}
        unknown = [
            each.problem
            for each in missing
            if each.need not in there or not {(each.need, name) for name in targets.get(each.job, ())} <= known
        ]
        if unknown:
            raise UsageError(*unknown)

    def needs(self, names: Collection[str], *, in_order: bool) -> ApplyNeeds:
        """Which versions wait for which, by `needs`, and with `in_order` for the job before. `names`: of all jobs."""
        before = _jobs_before(self.all) if in_order else {}
        needed = {
            version.digest: tuple(
                dict.fromkeys((*self.specs[version.digest].job.needs, *before.get(version.digest, ())))
            )
            for version in self.all
        }
        if in_order:
            _refuse_circles({version.job: needed[version.digest] for version in self.all})
        if not any(needed.values()):
            return ApplyNeeds(waits={digest: {} for digest in needed})
        known = self._observed(self.ledger.newest_with(self.all[0].key))
        places = _Places(names=names, selected=self.all, known=known)
        return ApplyNeeds(
            waits={
                version.digest: {job: places.for_job(job, version.target) for job in needed[version.digest]}
                for version in self.all
            },
            known=known,
            without_file=frozenset(job for jobs in needed.values() for job in jobs) - {*map(_job_of, names)},
        )


def _job_of(name: str) -> str:
    return name.partition("[")[0]


class _Places:
    """The digests of versions by their jobs and targets: those of this command, else those of the ledger."""

    def __init__(
        self, *, names: Collection[str], selected: Iterable[AppliedVersion], known: Mapping[str, ObservedEntry]
    ) -> None:
        self._digests = {(each.entry.version.name, each.entry.version.target): digest for digest, each in known.items()}
        self._digests |= {(version.name, version.target): version.digest for version in selected}
        self._names: dict[str, set[str]] = {}
        for name in names:
            self._names.setdefault(_job_of(name), set()).add(name)
        self._known: dict[tuple[str, str], set[str]] = {}
        for each in known.values():
            version = each.entry.version
            self._known.setdefault((version.job, version.target), set()).add(version.name)

    def for_job(self, job: str, target: str) -> frozenset[str]:
        """The digests of all cases of a job in the files, or else in the ledger."""
        names = self._names.get(job) or self._known.get((job, target)) or {job}
        return frozenset(self._digests.get((name, target), _NEVER) for name in names)


def passed_before(decisions: Sequence[Decision]) -> set[str]:
    """The digests of versions that have passed, or were adopted, in an earlier command."""
    return {decision.digest for decision in decisions if decision.state in DONE}


def _jobs_before(versions: Sequence[AppliedVersion]) -> dict[str, tuple[str, ...]]:
    """For each version the job before its own at its target; none for those of the first."""
    jobs: dict[str, list[str]] = {}
    for version in versions:
        of_target = jobs.setdefault(version.target, [])
        if version.job not in of_target:
            of_target.append(version.job)
    places = {(target, job): index for target, names in jobs.items() for index, job in enumerate(names)}
    return {
        version.digest: (jobs[version.target][index - 1],)
        for version in versions
        if (index := places[version.target, version.job])
    }


def _refuse_circles(needed: Mapping[str, Sequence[str]]) -> None:
    """Raise `UsageError` where a job would wait for itself: `needs` alone make no circle, as was checked before."""
    if found := circle(needed):
        message = f"`--in-order` and `needs` contradict each other: {' → '.join(map(clean, [*found, found[0]]))}"
        hint = "leave out `--in-order`, or name the files in the order in which the jobs need each other"
        raise UsageError(Problem(code="E186", message=message, hint=hint))


def _is_in(folder: str, other: str, *, recursive: bool) -> bool:
    return folder == other or (recursive and PurePath(folder).is_relative_to(other))
