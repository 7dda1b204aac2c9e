"""The versions that an `apply` is about: what the ledger and the stored runs know of each, and which waits for which.

What a run came to is in its own events. The ledger learns it here, where whoever carried the run out could not write it
down any more.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

from msgspec import Struct, field

from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import listed
from runner.ledger.decisions import DONE, Decision, decide, entry_passed
from runner.ledger.model import AppliedVersion, Ledger, LedgerEntry, LedgerError
from runner.ledger.observing import ObservedEntry, Whereabouts, observed
from runner.ledger.versions import version_digest
from runner.planning.plan import open_inputs
from runner.project.named_targets import name_of
from runner.reading.files import read_text
from runner.reports.safe import clean
from runner.runs.events import TargetName
from runner.runs.store import LocalRunStore
from runner.targets.model import SandboxTarget, Target
from runner.targets.resolve import resolve_url


@contextmanager
def ledger_errors() -> Iterator[None]:
    """What the ledger refuses, as `UsageError`."""
    try:
        yield
    except LedgerError as error:
        message = f"the ledger cannot be read or written: {clean(str(error))}"
        raise UsageError(Problem(code="E185", message=message, hint=error.hint)) from error


def versions_of(runs: Sequence[RunSpec], *, key: str | None, base: Path) -> list[AppliedVersion]:
    """The version of each run; names of folders are relative to `base`, which is resolved.

    Raises `UsageError` where the address of a target is not known.
    """
    names: dict[Target, TargetName] = {}
    return [_version(run, _place(run.target, names), key, base) for run in runs]


def folder_name(folder: Path, base: Path) -> str:
    """How the ledger names a folder, whatever the current folder is."""
    return PurePath(os.path.relpath(os.path.realpath(folder), base)).as_posix()


def _place(target: Target, names: dict[Target, TargetName]) -> TargetName:
    """A target with its address as it is now: a site that has moved is another place."""
    if target not in names:
        url: str | Problem = ""
        if not isinstance(target, SandboxTarget):
            url = resolve_url(target, environment=os.environ, read_file=read_text)
        if isinstance(url, Problem):
            raise UsageError(url)
        names[target] = TargetName(name=target.name, url=url, sandbox=name_of(target).sandbox)
    return names[target]


def _version(run: RunSpec, place: TargetName, key: str | None, base: Path) -> AppliedVersion:
    case = run.case.name if run.case else None
    inputs = open_inputs(run.job, run.inputs)
    return AppliedVersion(
        digest=version_digest(run.written, inputs=inputs, case=case, target=place, key=key),
        job=run.job.name,
        case=case,
        target=place.name,
        url=place.url,
        folder=folder_name(Path(run.job.file).parent, base),
        key=key,
    )


class ApplyNeeds(Struct, frozen=True, kw_only=True):
    """What lets a version begin: by its digest, for each job that it needs, the digests of the versions that must have
    passed. A job that this command does not carry out, and that has not passed, has one that never does.
    """

    waits: Mapping[str, Mapping[str, frozenset[str]]]

    def lacking(self, digest: str, passed: Collection[str]) -> tuple[str, ...]:
        """The names of the needed jobs that have not passed."""
        return tuple(job for job, needed in self.waits[digest].items() if any(each not in passed for each in needed))

    def hopeless(self, fresh: Collection[str], *, passed: Collection[str]) -> frozenset[str]:
        """Those of `fresh`, digests, that cannot begin, whatever the others come to. `passed` may still pass, or have.

        What nobody can wait for is found first, then what waits for that, and so on.
        """
        hopeful = set(fresh)
        waiting: dict[str, list[str]] = {}
        for digest in fresh:
            for needed in self.waits[digest].values():
                for each in needed:
                    waiting.setdefault(each, []).append(digest)
        lost = [each for each in waiting if each not in hopeful and each not in passed]
        while lost:
            for digest in waiting.get(lost.pop(), ()):
                if digest in hopeful:
                    hopeful.remove(digest)
                    lost.append(digest)
        return frozenset(fresh) - hopeful

    def problems(self, decisions: Sequence[Decision], *, passed: Collection[str]) -> list[Problem]:
        """A problem for each version that waits for jobs that have not passed."""
        return [
            _waiting(each.version, lacking)
            for each in decisions
            if (lacking := self.lacking(each.version.digest, passed))
        ]


def _waiting(version: AppliedVersion, lacking: Sequence[str]) -> Problem:
    jobs = listed([*map(clean, lacking)])
    has = "has" if len(lacking) == 1 else "have"
    message = f"`{clean(version.title)}` is not carried out: it waits for {jobs}, which {has} not passed"
    hint = "see why that is so; when the job has passed at this target, `runner apply` carries out what waits for it"
    return Problem(code="E184", message=message, hint=hint)


_NEVER = frozenset({""})
"""What a job waits for that is not there: no version has this digest."""


class ApplySet(Struct, kw_only=True):
    """`specs` are the runs, by the digests of their versions. `passing` are runs without an end that hold nobody up:
    nobody can say any more what they did.
    """

    ledger: Ledger
    store: LocalRunStore
    specs: Mapping[str, RunSpec]
    all: Sequence[AppliedVersion]
    retry: bool = False
    passing: set[str] = field(default_factory=set)
    _newest: list[LedgerEntry] = field(default_factory=list)

    def decisions(self, *, writing: bool) -> list[Decision]:
        """What is to be done about each version, by what is known now. With `writing` the ledger learns what it lacks.

        Raises `UsageError`.
        """
        with ledger_errors():
            stored = frozenset(self.store.runs())
            if writing:
                self._teach(stored)
            found = {digest: self._seen(entry, stored) for digest, entry in self.ledger.find(self.specs).items()}
            open_entries = [self._seen(entry, stored) for entry in self.ledger.unended()]
            self._newest = self.ledger.newest()
        lost = [each.entry.last.run for each in open_entries if each.where is Whereabouts.LOST]
        self.passing = {run for run in lost if run is not None}
        newest = {entry.version.title: entry for entry in self._newest}
        return [self._decision(version, found, newest.get(version.title), stored) for version in self.all]

    def _seen(self, entry: LedgerEntry, stored: frozenset[str]) -> ObservedEntry:
        return observed(entry, self.store, stored=stored)

    def _teach(self, stored: frozenset[str]) -> None:
        """Write down the ends that the ledger lacks, and forget attempts of which nothing was sent."""
        for entry in (*self.ledger.unended(), *self.ledger.find(self.specs).values()):
            each = self._seen(entry, stored)
            last = each.entry.last
            if last.run is not None and last.end is not None and each.has_changed:
                self.ledger.end(last.run, last.end)
            elif last.run is not None and last.end is None and each.where is Whereabouts.NEVER_BEGAN:
                self.ledger.release(last.run)

    def _decision(
        self,
        version: AppliedVersion,
        found: Mapping[str, ObservedEntry],
        newest: LedgerEntry | None,
        stored: frozenset[str],
    ) -> Decision:
        is_other = newest is not None and newest.version.digest != version.digest
        before = self._seen(newest, stored) if newest is not None and is_other else None
        return decide(version, known=found.get(version.digest), before=before, retry=self.retry)

    def gone(self, names: frozenset[str], *, folders: Sequence[str], recursive: bool) -> list[LedgerEntry]:
        """The newest versions of jobs that were applied from one of the folders, and are not in it any more. `names`
        are all that the folders hold, `job[case]`.
        """
        return [
            entry
            for entry in self._newest
            if entry.version.name not in names
            and any(_is_in(entry.version.folder, folder, recursive=recursive) for folder in folders)
        ]

    def needs(self, names: Collection[str], *, in_order: bool) -> ApplyNeeds:
        """Which versions wait for which, by `needs` of their jobs, and with `in_order` each for the job before. `names`
        are all that the files hold, `job[case]`: cases that are not selected count by what the ledger has of them.
        """
        before = _jobs_before(self.all) if in_order else {}
        there: dict[tuple[str, str], list[str]] = {}
        for version in self.all:
            there.setdefault((version.job, version.target), []).append(version.digest)
        passed = _passed_jobs(self._newest)
        lacking = self._lacking(names)
        waits: dict[str, dict[str, frozenset[str]]] = {}
        for version in self.all:
            jobs = dict.fromkeys((*self.specs[version.digest].job.needs, *before.get(version.digest, ())))
            places = {job: (job, version.target) for job in jobs}
            known = {job: frozenset(there[place]) for job, place in places.items() if place in there}
            never = {job: _NEVER for job, place in places.items() if place not in there and place not in passed}
            waits[version.digest] = known | never | {job: _NEVER for job in jobs if places[job] in lacking}
        return ApplyNeeds(waits=waits)

    def _lacking(self, names: Collection[str]) -> set[tuple[str, str]]:
        """The jobs, with targets, that have a case that is not selected there and has not passed."""
        passed = {(each.version.name, each.version.target) for each in self._newest if entry_passed(each)}
        done = passed | {(version.name, version.target) for version in self.all}
        targets = {version.target for version in self.all}
        return {(name.partition("[")[0], target) for name in names for target in targets if (name, target) not in done}


def _passed_jobs(newest: Iterable[LedgerEntry]) -> set[tuple[str, str]]:
    """The jobs, with their targets, of which all that the ledger has has passed."""
    has_passed: dict[tuple[str, str], bool] = {}
    for entry in newest:
        place = entry.version.job, entry.version.target
        has_passed[place] = has_passed.get(place, True) and entry_passed(entry)
    return {place for place, passed in has_passed.items() if passed}


def passed_before(decisions: Sequence[Decision]) -> set[str]:
    """The digests of versions that have passed, or were adopted, in an earlier command."""
    return {decision.version.digest for decision in decisions if decision.state in DONE}


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


def _is_in(folder: str, other: str, *, recursive: bool) -> bool:
    return folder == other or (recursive and PurePath(folder).is_relative_to(other))
