"""What one attempt of an action came to, before anyone decides whether to try again."""

from dataclasses import dataclass, replace

from runner.foundation.values import Json, JsonObject
from runner.job.model import RetryOn, StepEffect
from runner.runs.events import Check, Status, Trouble
from runner.service.calls import CallFailed, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended.

    `verified` and `process_id` are as in `runs.events.StepFinished`; `process_status` is in the words of the log.
    `again` names the kind of failure that a retry may be allowed for, None where none is: it passed, or repeating
    cannot help. `lost`: it passed, but its result never reached us, and is not null either. `failed_row` is the row of
    the process log that says of its one process that it failed. `seconds` is how long the process took by the log,
    where nobody waited for it. `cause` is what put the row in doubt, whatever `trouble` says of it since.
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
    process_status: str | None = None
    lost: bool = False
    failed_row: JsonObject | None = None
    seconds: float | None = None
    warnings: tuple[str, ...] = ()
    cause: Trouble | None = None

    def of_process(
        self, process_id: str | None, *, status: str | None, verified: bool | str | None, warning: str | None = None
    ) -> "Attempt":
        """The same attempt with what is known of its process."""
        warnings = (*self.warnings, warning) if warning else self.warnings
        return replace(self, verified=verified, process_id=process_id, process_status=status, warnings=warnings)


def of_failed_call(failure: CallFailed, effect: StepEffect) -> Attempt:
    """What a failed call means for its attempt: the service said no, gave no usable answer, or nobody can know."""
    again = None if failure.final else _COVERED_BY[failure.kind]
    status = _STATUS[failure.kind]
    trouble = failure.trouble
    if is_in_doubt(failure, effect):
        return in_doubt(trouble)
    return Attempt(status=status, trouble=trouble, again=again, retry_after=failure.retry_after)


def is_in_doubt(failure: CallFailed, effect: StepEffect) -> bool:
    """Whether something may have happened that must not happen twice."""
    return failure.kind is FailureKind.UNANSWERED and effect is StepEffect.ONCE


def in_doubt(cause: Trouble, *, why: str | None = None) -> Attempt:
    """A call that must not happen twice may have happened; `why` says why the process log did not settle it."""
    more = f"; {why}" if why else ""
    message = f"it may or may not have happened: {cause.message}{more}"
    return Attempt(status=Status.UNKNOWN, trouble=Trouble(code="E401", message=message, hint=LATER), cause=cause)


LATER = "`reconcile` asks the process log again; who has looked at the site says how it ended with `resume --step --as`"
"""What can be done about a call in doubt."""


_STATUS = {
    FailureKind.NOT_SENT: Status.ERROR,
    FailureKind.TURNED_AWAY: Status.ERROR,
    FailureKind.REFUSED: Status.FAILED,
    FailureKind.UNANSWERED: Status.ERROR,
}
_COVERED_BY = {
    FailureKind.NOT_SENT: RetryOn.NOT_SENT,
    FailureKind.TURNED_AWAY: RetryOn.NOT_SENT,
    FailureKind.REFUSED: RetryOn.REFUSED,
    FailureKind.UNANSWERED: RetryOn.UNANSWERED,
}
