"""What a command line asks for, the runs that it selects by `--tags` and `-k`, and whether they may begin.

Every refusal is reported at once, and nothing has been sent. `--yes` answers the questions of jobs; it does not confirm
a target: who says yes to a job may not know where its calls go.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.model import ProcessElement
from runner.execution.given_inputs import AskForInputs, ask_nobody
from runner.foundation.problems import Problem, RefusedError, UsageError
from runner.foundation.sentences import first, job_and_case
from runner.foundation.values import Json
from runner.job.model import Case, Job
from runner.lint.jobs import MissingNeed
from runner.planning import guards
from runner.planning.plan import ChosenCase, Plan, plan
from runner.runs.events import TargetName
from runner.runs.evidence import Confirmation
from runner.runs.refused_starts import RefusedStart
from runner.runs.store import RunStore
from runner.runs.stored_runs import RunName
from runner.secrets.redact import Secrets
from runner.targets.model import SiteTarget, Target

if TYPE_CHECKING:
    import boolean

NOTHING = "nothing was selected"
_MOST_NAMES = 5
"""Runs that a question names; more would hide the question."""
_IN_A_TAG = (".", "_", ":", "-", "/")


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks for. `targets` are names in the order given; `last_failed` is the store of runs
    that knows what did not pass, None where that does not matter; `may_be_empty`: a folder without jobs is fine;
    `changed_since` is a commit. `from_environment` are the options that nobody has typed; `ask` gets the inputs that
    are missing. `has_ledger`: the runs are for a ledger: they hold the data of their files, too. `secrets_elsewhere`:
    whoever carries the runs out has the secret inputs. `sends_nothing`: a secret that nobody gives is not missed.
    `planned` has the inputs of exactly those runs that an earlier command was to begin.
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
    may_be_empty: bool = False
    changed_since: str | None = None
    ask: AskForInputs = ask_nobody
    has_ledger: bool = False
    secrets_elsewhere: bool = False
    sends_nothing: bool = False
    planned: Mapping[RunName, Mapping[str, Json]] = field(default_factory=dict)


class RunSpec(Struct, frozen=True, kw_only=True):
    """A run that could begin. `sources` are the texts of all its files by their names.

    `case_index` counts the cases of the job from 0, also those that were not selected. `digest` is that of a stored
    plan that the run comes from, and `plan_key` the key of its file; None of a run that comes from its files. `written`
    is what its files hold, by the names of `sources`; empty where it comes of a stored plan, or nobody asked for it.
    `variables` of the environment gave secret inputs, by the names of these. The rest is as in `Plan`.
    """

    job: Job
    sources: Mapping[str, str]
    target: Target
    inputs: dict[str, Json]
    case: Case | None = None
    case_index: int | None = None
    digest: str | None = None
    plan_key: str | None = None
    elements: tuple[ProcessElement, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, Json] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[RefusedStart, ...] = ()

    @property
    def name(self) -> RunName:
        return self.job.name, self.case.name if self.case else None, self.target.name

    @property
    def title(self) -> str:
        """The run's name in reports: `job[case]@target`."""
        return f"{run_name(self.job, self.case)}@{self.target.name}"

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
        known = replace(made, elements=self.elements, versions=self.versions, refused=self.refused)
        return replace(known, alone=False, times=self.target.times)


class RunSet(Struct, frozen=True, kw_only=True):
    """`nothing` says why there are no runs, where there are none; `notes` are lines for whoever carries them out;
    `not_read` is the line on jobs in folders below, `unchecked` that on sites without a catalogue. `names` are those of
    all runs that the files hold, `job[case]`, selected or not. `missing_needs`: with a ledger these may be known to it.
    """

    runs: tuple[RunSpec, ...]
    warnings: tuple[Problem, ...] = ()
    nothing: str = NOTHING
    notes: tuple[str, ...] = ()
    not_read: str = ""
    unchecked: str = ""
    names: frozenset[str] = frozenset()
    missing_needs: tuple[MissingNeed, ...] = ()


def run_name(job: Job, case: Case | None) -> str:
    return job_and_case(job.name, case.name if case else None)


def by_tags(written: str) -> Callable[[Iterable[str]], bool]:
    """Whether tags fit an expression of words with `and`, `or`, `not` and parentheses. Raises `UsageError`."""
    algebra, parsed = _parsed(written)

    def fits(tags: Iterable[str]) -> bool:
        present = set(tags)
        values = {symbol: algebra.TRUE if symbol.obj in present else algebra.FALSE for symbol in parsed.symbols}
        return bool(parsed.subs(values, simplify=True) == algebra.TRUE)

    return fits


def tags_in(written: str) -> list[str]:
    return sorted(str(symbol.obj) for symbol in _parsed(written)[1].symbols)


def _parsed(written: str) -> "tuple[boolean.BooleanAlgebra, boolean.Expression]":
    import boolean  # noqa: PLC0415  2 ms, for who gives `--tags`

    algebra = boolean.BooleanAlgebra(allowed_in_token=_IN_A_TAG)
    try:
        parsed = algebra.parse(written)
    except boolean.ParseError as error:
        raise _not_parsed(written) from error
    if parsed == algebra.TRUE:  # as `true` is, which would select all jobs
        raise _not_parsed(written)
    return algebra, parsed


def _not_parsed(written: str) -> UsageError:
    hint = "write words with `and`, `or`, `not` and parentheses: `smoke and not slow`"
    return UsageError(Problem(code="E150", message=f"`--tags {written}` cannot be parsed", hint=hint))


def is_selected(
    job: Job, case: Case | None, *, tags: Callable[[Iterable[str]], bool] | None, keywords: Collection[str] = ()
) -> bool:
    """Whether a job's case, or its only run, is selected; some keyword is a part of `job[case]` in any case."""
    if tags is not None and not tags(job.tags):
        return False
    name = run_name(job, case).casefold()
    return not keywords or any(keyword.casefold() in name for keyword in keywords)


class Permission(Struct, frozen=True, kw_only=True):
    """What the command line permits: `yes` to every question of a job, and the targets that are `confirmed`.

    `ask` puts a question to a person; None where there is none.
    """

    yes: bool = False
    confirmed: frozenset[str] = frozenset()
    ask: Callable[[str], bool] | None = None

    def of(self, target: Target) -> Confirmation | None:
        """How a run at the target was confirmed that `check_permission` has let begin; None where it need not be."""
        if not target.protected:
            return None
        return Confirmation.OPTION if target.name in self.confirmed else Confirmation.QUESTION


def check_permission(runs: Sequence[RunSpec], given: Permission, *, asking: Sequence[Problem] | None = None) -> None:
    """Let the runs begin, or raise `RefusedError`. A person is asked once for each target.

    `asking` refuses each question of theirs that is left, None where none has been answered.
    """
    unlike = {(id(run.job), id(run.target)): run for run in runs}.values()  # the cases of a job differ in inputs only
    refused = list(guards.not_allowed((run.job, run.target) for run in unlike))
    if not given.yes and given.ask is None:
        refused += guards.unanswerable(run.job for run in unlike) if asking is None else asking
    targets = guards.unconfirmed((run.target for run in runs), confirmed=given.confirmed)
    if given.ask is None:
        refused += map(guards.protected, targets)
    if refused:
        raise RefusedError(*refused)
    for target in targets:
        if given.ask is not None and not given.ask(_question(target, runs)):
            raise RefusedError(guards.protected(target))


def _question(target: Target, runs: Sequence[RunSpec]) -> str:
    names = first([run_name(run.job, run.case) for run in runs if run.target == target], _MOST_NAMES)
    where = f" ({target.url})" if isinstance(target, SiteTarget) else ""
    return f"target `{target.name}`{where} is protected. Carry out {names}?"
