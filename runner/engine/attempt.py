"""What one attempt of an action came to, before anyone decides whether to try again."""

from dataclasses import dataclass, replace

from runner.events import Check, Status, Trouble
from runner.job.model import RetryOn, StepEffect
from runner.service.calls import CallFailed, FailureKind
from runner.values import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended.

    `again` names the kind of failure that a retry may be allowed for, None where none is: it passed, or repeating
    cannot help. `verified` and `process_id` are as in `runner.events.StepFinished`.
    """

    status: Status
    result: Json = None
    trouble: Trouble | None = None
    again: RetryOn | None = None
    retry_after: float | None = None
    checks: tuple[Check, ...] = ()
    outputs: JsonObject | None = None
    verified: bool | str | None = None
    process_id: str | None = None
    warnings: tuple[str, ...] = ()

    def of_process(self, process_id: str | None, *, verified: bool | None, warning: str | None = None) -> "Attempt":
        """The same attempt with what is known of its process."""
        warnings = (*self.warnings, warning) if warning else self.warnings
        return replace(self, verified=verified, process_id=process_id, warnings=warnings)


def of_failed_call(failure: CallFailed, effect: StepEffect) -> Attempt:
    """What a failed call means for its attempt: the service said no, gave no usable answer, or nobody can know."""
    again = None if failure.final else RetryOn(failure.kind.value)
    status = _STATUS[failure.kind]
    trouble = failure.trouble
    if failure.kind is FailureKind.UNANSWERED and effect is StepEffect.ONCE:
        return Attempt(status=Status.UNKNOWN, trouble=in_doubt(trouble))
    return Attempt(status=status, trouble=trouble, again=again, retry_after=failure.retry_after)


def in_doubt(cause: Trouble) -> Trouble:
    """Say of a call that must not happen twice that it may have happened."""
    return Trouble(
        code="E401",
        message=f"it may or may not have happened: {cause.message}",
        hint="look at the process log of the site before you start it again",
    )


_STATUS = {
    FailureKind.NOT_SENT: Status.ERROR,
    FailureKind.REFUSED: Status.FAILED,
    FailureKind.UNANSWERED: Status.ERROR,
}
