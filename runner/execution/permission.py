"""Whether runs may begin: what the command line confirms, and what a person answers.

Every refusal is reported at once, before anything is sent. `--yes` answers a job's questions, and confirms no target.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, RefusedError
from runner.foundation.sentences import first_few
from runner.planning import guards
from runner.runs.evidence import Confirmation
from runner.targets.model import SiteTarget, Target

_MOST_NAMES = 5  # runs that a question names; more would hide the question


class Permission(Struct, frozen=True, kw_only=True):
    """What the command line permits."""

    yes: bool = False  # to every question of a job
    confirmed: frozenset[str] = frozenset()  # targets
    ask: Callable[[str], bool] | None = None  # asks a person, if anybody is there

    def of(self, target: Target) -> Confirmation | None:
        """How a run at the target was confirmed that `check_permission` has let begin; None where it need not be."""
        if not target.protected:
            return None
        return Confirmation.OPTION if target.name in self.confirmed else Confirmation.QUESTION


def check_permission(runs: Sequence[RunSpec], given: Permission, *, asking: Sequence[Problem] | None = None) -> None:
    """Let the runs begin, or raise `RefusedError`. A person confirms each target once. `asking`: open questions."""
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
    names = first_few([run.job_case for run in runs if run.target == target], _MOST_NAMES)
    where = f" ({target.url})" if isinstance(target, SiteTarget) else ""
    return f"target `{target.name}`{where} is protected. Carry out {names}?"
