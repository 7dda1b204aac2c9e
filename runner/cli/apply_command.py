"""What the ways to apply share: which versions a command is about, and how what becomes of them is printed."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource
from msgspec import Struct, field
from msgspec.structs import replace

from runner.cli import reports
from runner.cli.command import publish
from runner.execution.apply_versions import ApplyNeeds, ApplySet
from runner.execution.run_spec import RunSet, RunSpec
from runner.execution.run_versions import folder_name, renamed, versions_of
from runner.foundation.git import GitChanges, GitError, changes_since
from runner.foundation.problems import ExitCode, Problem, UsageError, strongest
from runner.foundation.sentences import plural
from runner.foundation.shell_words import shell_words
from runner.foundation.values import record
from runner.job.inputs import VARIABLE
from runner.ledger import words
from runner.ledger.decisions import BEGINS, DONE, NOT_REPEATED, Decision, VersionState, can_be_adopted
from runner.ledger.document import apply_document
from runner.ledger.model import DIRTY, AttemptEnd, Ledger, LedgerEntry, VersionAttempt
from runner.ledger.observing import RunObserver
from runner.ledger.repeats import NOTHING_REPEATED, RepeatedSteps, repeated_steps, repeated_under_another_name
from runner.ledger.versions import key_of_time
from runner.project.ci_run import person_elsewhere
from runner.project.paths import jobs_in
from runner.reading.document import Document
from runner.reading.files import display_path
from runner.reading.load import read
from runner.reports.next_steps import input_words
from runner.reports.reported import ReportedCommand, ReportedRun, ReportValues
from runner.reports.safe import clean, json_document
from runner.reports.words import person_name
from runner.runs import StoreName
from runner.runs.events import RunStatus
from runner.runs.journal import utc_now
from runner.runs.store import RunStore
from runner.terminal import output

_TYPED_AGAIN: Final = (*("recursive", "target", "targets", "catalogue", "key", "every", "in_order"),)
"""Options that decide about versions; inputs are given by their values, wherever these came from."""
_HERE: Final = ("ledger", "runs")
_OF_A_FLEET: Final = ("dsn", "fleet")
_SELECTION: Final = ("tags", "keywords")
_GIVEN: Final = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)

_RETRIED: Final = {None: (), "failed": NOT_REPEATED, "refused": (VersionState.REFUSED,)}
"""What each `--retry` carries out again."""


@cache
def _changes_in(folder: str) -> GitChanges | None:
    """How the files of a checkout differ from the commit that is checked out, if known."""
    try:
        return changes_since("HEAD", Path(folder))
    except GitError:
        return None


def _commit_of(spec: RunSpec) -> str | None:
    """The commit that is checked out, marked where it does not hold the files of the run."""
    changes = _changes_in(os.path.dirname(os.path.abspath(spec.job.file)))  # noqa: PTH100, PTH120  10,000 times
    if changes is None:
        return None
    is_dirty = any(changes.of(Path(name)) is not None for name in spec.written if name)
    return changes.commit + DIRTY * is_dirty


def attempt_of(spec: RunSpec, *, run: str | None = None, place: str = "") -> VersionAttempt:
    return VersionAttempt(run=run, began_at=utc_now(), place=place, commit=_commit_of(spec))


class ApplyCommand(Struct, kw_only=True, dict=True):
    """`runs` is the store of its runs; `decided` are the versions as they were at first, `gone` those without a job."""

    context: click.Context
    run_set: RunSet
    places: reports.ReportPlaces
    versions: ApplySet
    base: Path
    runs: RunStore
    decided: Sequence[Decision] = ()
    gone: list[LedgerEntry] = field(default_factory=list)
    _repeats: dict[tuple[str, VersionState, int], RepeatedSteps] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.versions.ledger

    @property
    def store(self) -> StoreName:
        return self.runs.name

    @property
    def specs(self) -> Sequence[RunSpec]:
        return self.run_set.runs

    def say_if_all_is_new(self) -> None:
        """Say that the ledger is empty, also with `--quiet`. Raises `UsageError` for `--retry` with an empty ledger."""
        if not self.ledger.exists():
            if retry := self.context.params["retry"]:
                message = f"`--retry {retry}` repeats nothing: nothing is in the ledger {clean(self.ledger.name)} yet"
                where = "`--db` and `--fleet` name it" if self.versions.queues else "`--ledger FILE` names it"
                hint = f"type it where the ledger is, {where}; without `--retry` every version is carried out"
                raise UsageError(Problem(code="E185", message=message, hint=hint))
            how = "" if self.context.params["adopt"] else "; `--adopt` marks them as done without running them"
            also = "" if self.versions.queues else ", also what was applied from another folder"
            if not self.versions.queues and self.runs.runs():
                also = " but for what the stored runs of `apply` show"
            output.say(f"nothing is in the ledger {clean(self.ledger.name)} yet, so every version is new{also}{how}")

    def find_gone(self) -> list[LedgerEntry]:
        """Jobs that were applied from these folders, and are not in them any more."""
        given = self.context.params
        folders = [folder_name(spec, self.base) for spec in given["specs"] if spec.is_dir()]
        gone = self.versions.gone(self.run_set.names, folders=folders, recursive=given["recursive"])
        return [entry for entry in gone if not given["target"] or entry.version.target in given["target"]]

    def needs(self) -> ApplyNeeds:
        return self.versions.needs(self.run_set.names, in_order=self.context.params["in_order"])

    def show(self, needs: ApplyNeeds, blocked: Collection[str]) -> ExitCode:
        """Print what would be done. `blocked` are the digests of new versions that could not begin."""
        if self.as_json:
            self._print_document(self.decided, ExitCode.PASSED)
            return ExitCode.PASSED
        decided = words.held_back(self.decided, blocked, queues=self.versions.queues)
        shown = [each for each in decided if self.context.params["verbose"] or each.state not in DONE]
        again = self._repeated(shown)
        is_whole = not self.run_set.not_read
        lines = words.table(shown, self.gone, after=needs.waits, repeated=again, all_read=is_whole)
        output.data("".join(f"{line}\n" for line in lines))
        output.say(words.summary_of_plan(decided))
        self.report_others([each for each in decided if each.is_older])
        output.say_lines(self.run_set.unchecked)
        return ExitCode.PASSED

    def adopt(self) -> Sequence[Decision]:
        """Take versions for applied; those that are not."""
        adopted = [each for each in self.decided if can_be_adopted(each)]
        now = AttemptEnd(status=RunStatus.PASSED, exit_code=ExitCode.PASSED, at=utc_now())
        by = person_name(person_elsewhere(os.environ))
        attempt = replace(attempt_of(self.specs[0], place=by), end=now)
        self.ledger.adopt([each.version for each in adopted], attempt)
        self.print([replace(each, state=VersionState.ADOPTED, before=None) for each in adopted])
        output.say(f"{plural(len(adopted), 'version')} adopted; nothing was sent")
        return [each for each in self.decided if not can_be_adopted(each)]

    def end_of_adopting(self, others: Sequence[Decision]) -> ExitCode:
        decisions, left = self.versions.decisions(writing=False), {each.digest for each in others}
        others = [each for each in decisions if each.digest in left]
        return self.end(decisions, [each.exit_code for each in others], self.report_others(others))

    def report_others(self, decisions: Sequence[Decision], waiting: Sequence[Problem] = ()) -> list[Problem]:
        """Print why these versions are not carried out, or are older; gives all of them, for the reports."""
        shows_values = self.context.params["report_values"] == ReportValues.ALL
        by_kind: dict[str, list[Problem]] = {}
        for each in decisions:
            found = words.problem(
                each,
                command=self.as_typed(with_values=shows_values, only=each),
                repeated=self.repeated_by(each),
                has_needs=bool(self.versions.specs[each.digest].job.needs),
            )
            if found is not None:
                by_kind.setdefault(words.kind_of(each), []).append(found)
        by_kind[words.LACKING] = [*waiting]
        output.problems(*words.shortened(by_kind, command=self.as_typed(also=_SELECTION)))
        return list(chain.from_iterable(by_kind.values()))

    def print(self, decisions: Sequence[Decision], *, gone: bool = True) -> None:
        again = self._repeated(decisions)
        if not self.context.params["quiet"]:
            is_whole, without_job = not self.run_set.not_read, self.gone if gone else ()
            lines = words.table(decisions, without_job, repeated=again, all_read=is_whole)
            output.say_lines("".join(f"{line}\n" for line in lines))
            return
        for each in decisions:
            for warning in again.get(each.digest, NOTHING_REPEATED).warnings():
                output.say(f"{clean(each.title)}: {warning}")

    def say_what_next(self, failed: Mapping[str, str], repeated: Sequence[RepeatedSteps]) -> None:
        """How runs that ended now and did not pass, by the titles of their versions, are carried out again."""
        command = self.as_typed(also=(*_SELECTION, "yes"))
        for line in words.after_failures(failed, repeated, command=command, store=self.store):
            output.say(line)

    def repeated_by(self, decision: Decision) -> RepeatedSteps:
        """What the version would start a second time although it must not, by the runs of its attempts."""
        key = decision.digest, decision.state, decision.attempts
        if key not in self._repeats:
            job = self.versions.specs[decision.digest].job
            found = repeated_steps(decision, job, ledger=self.ledger, store=self.runs)
            if decision.state is VersionState.NEW and (before := self._renamed.get(decision.digest)) is not None:
                adopting = f"{self.as_typed(only=decision)} --adopt"
                found = repeated_under_another_name(before, job, store=self.runs, adopting=adopting)
            self._repeats[key] = found
        return self._repeats[key]

    @cached_property
    def _renamed(self) -> Mapping[str, LedgerEntry]:
        specs = self.versions.specs
        new = {each.version: specs[each.digest] for each in self.decided if each.state is VersionState.NEW}
        files = [spec for spec in self.context.params["specs"] if not spec.is_dir()]
        folders = [folder_name(spec.parent, self.base) for spec in files]
        beside = self.versions.gone(self.run_set.names, folders=folders, recursive=False)
        if beside and renamed(new, beside, ledger=self.ledger):  # else no other file needs to be read
            there = _names_beside(files)
            beside = [entry for entry in beside if entry.version.job not in there]
        return renamed(new, [*self.gone, *beside, *self.versions.at_other_targets()], ledger=self.ledger)

    def _repeated(self, decisions: Sequence[Decision]) -> dict[str, RepeatedSteps]:
        """The same of all that begin, or would if nothing held them up, by their digests."""
        begin = (each for each in decisions if each.state in BEGINS | {VersionState.BLOCKED})
        found = {each.digest: self.repeated_by(each) for each in begin}
        return {digest: each for digest, each in found.items() if each != NOTHING_REPEATED}

    def as_typed(self, *, also: Sequence[str] = (), with_values: bool = True, only: Decision | None = None) -> str:
        """The command to type again, with what the environment set, and `also` more options, or `only` a version."""
        given, specs = self.context.params, self.specs
        again = {*_TYPED_AGAIN, *also, *(_OF_A_FLEET if self.store.is_fleet else _HERE)}
        typed = {name for name in again if self.context.get_parameter_source(name) in _GIVEN}
        if only is not None:
            specs = [self.versions.specs[only.digest]]
            version = only.version
            target = next(
                (each for each in given["target"] if each.rpartition(":")[2] == version.target), version.target
            )
            given = given | {"specs": [specs[0].job.file], "target": (target,), "keywords": (version.name,)}
            typed = (typed | {"target"} | ({"keywords"} if only.version.case else set())) - {"recursive", "in_order"}
        words = ["runner", "apply", *map(str, given["specs"])]
        for parameter in self.context.command.params:
            if parameter.name in typed:
                value = self.store if parameter.name in ("dsn", "runs") else given[parameter.name]  # without a password
                for each in value if isinstance(value, tuple) else (value,):
                    words.append(parameter.opts[0])
                    if each is not True:
                        words.append(f"{each:g}s" if isinstance(each, float) else str(each))
        protected = dict.fromkeys(spec.target.name for spec in specs if spec.target.protected)
        confirmed = [word for name in protected for word in ("--confirm", name)]
        return shell_words(map(clean, [*words, *confirmed, *self._inputs(specs, with_values=with_values)]))

    def _inputs(self, specs: Sequence[RunSpec], *, with_values: bool) -> list[str]:
        """The inputs that the command or its environment gave. Secrets come from the same place again."""
        given: Sequence[str] = self.context.params["given"]
        if not (given or self.context.params["inputs_file"] or any(name.startswith(VARIABLE) for name in os.environ)):
            return []
        found: dict[str, str] = {}
        secret = set[str]()
        for spec in specs:
            found |= spec.inputs_as_given()
            secret |= {declared.name for declared in spec.job.inputs if declared.secret}
        named = (word for each in given if each.partition("=")[0] in secret for word in ("-i", each))
        return [*input_words(found, with_values=with_values), *named]

    @property
    def as_json(self) -> bool:
        return bool(self.context.params["form"] == "json")

    def end(
        self,
        decisions: Sequence[Decision],
        codes: Sequence[ExitCode],
        problems: Sequence[Problem],
        runs: Sequence[ReportedRun] = (),
    ) -> ExitCode:
        """Write the reports, and the versions as they are by now; the code of the command."""
        code = strongest(codes) if codes else ExitCode.PASSED
        command = ReportedCommand(
            runs=runs,
            problems=problems,
            exit_code=code,
            passed_before=0 if runs or any(each.state not in DONE for each in decisions) else len(decisions),
        )
        code = publish(self.places, command, printed=runs[0].result.exit_code if len(runs) == 1 else ExitCode.PASSED)
        if self.as_json:
            self._print_document(decisions, code)
        return code

    def _print_document(self, decisions: Sequence[Decision], code: ExitCode) -> None:
        document = apply_document(
            decisions,
            {each.digest: each for each in self.decided},
            ledger=self.ledger.name,
            dry_run=self.context.params["dry_run"],
            repeated=self._repeated(self.decided),
            gone=self.gone,
            exit_code=code,
        )
        output.data(json_document(document), for_programs=True)


def apply_command(
    context: click.Context,
    run_set: RunSet,
    places: reports.ReportPlaces,
    *,
    ledger: Ledger,
    runs: RunObserver,
    store: RunStore,
    base: Path,
) -> ApplyCommand:
    """The command about the versions that its options select. Raises `UsageError` for needed jobs that are nowhere."""
    given = context.params
    key = given["key"] if given["every"] is None else key_of_time(given["every"], now=time.time())
    all_versions = versions_of(run_set.runs, key=key, base=base)
    versions = ApplySet(
        ledger=ledger,
        observer=runs,
        specs={version.digest: spec for version, spec in zip(all_versions, run_set.runs, strict=True)},
        all=all_versions,
        retry=_RETRIED[given["retry"]],
        queues=store.name.is_fleet,
    )
    versions.check_needs(run_set.missing_needs)
    return ApplyCommand(context=context, run_set=run_set, places=places, versions=versions, base=base, runs=store)


def _names_beside(files: Sequence[Path]) -> frozenset[str]:
    """The names of the other jobs in the folders of `files`, as far as they can be read."""
    own = {path.resolve() for path in files}
    others = {path for file in files for path in jobs_in(file.parent) if path.resolve() not in own}
    found = (read(path, name=display_path(path)) for path in others)
    return frozenset(str(record(each.data).get("name")) for each in found if isinstance(each, Document))
