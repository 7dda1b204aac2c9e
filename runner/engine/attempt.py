"""What an attempt of an action came to, before anyone decides whether to try again."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.values import Json, JsonObject
from runner.job.model import RetryOn, StepEffect
from runner.runs.events import Check, Trouble
from runner.runs.status import Status
from runner.service.calls import CallFailed, FailureKind, LogRow

INFERRED: Final = "inferred"  # `verified`: the row of the log is taken for the call's own, and nothing proves it


class Attempt(Struct, frozen=True, kw_only=True):
    """How an attempt ended, or what is known of its process alone."""

    status: Status = Status.PASSED
    result: Json = None
    trouble: Trouble | None = None
    again: RetryOn | None = None  # the kind of failure that a retry may be allowed for
    retry_after: float | None = None
    checks: tuple[Check, ...] = ()
    outputs: JsonObject | None = None
    verified: bool | str | None = None  # as in `runs.events.StepFinished`
    process_id: str | None = None
    process_status: str | None = None
    lost: bool = False  # it passed, but its result, which is not null, never arrived
    failed_row: LogRow | None = None  # of the process log, which says that the process failed
    seconds: float | None = None  # how long the process took by the log, where nobody waited
    warnings: tuple[str, ...] = ()
    cause: Trouble | None = None  # what put the row in doubt first
    by_hand: bool = False  # in doubt, and the log has nothing by which to find it
    still_ran: bool = False  # its process still ran when it was answered
    unproved: bool = False  # a change passed that its record does not show

    def with_process(self, found: "Attempt") -> "Attempt":
        """The same attempt with what is known of its process."""
        return replace(
            self,
            verified=found.verified,
            process_id=found.process_id,
            process_status=found.process_status,
            failed_row=found.failed_row,
            unproved=found.unproved,
            warnings=(*self.warnings, *found.warnings),
        )

    def warned(self, *warnings: str) -> "Attempt":
        return replace(self, warnings=(*self.warnings, *warnings))


def not_passed(code: str, message: str, hint: str | None = None, *, status: Status = Status.FAILED) -> Attempt:
    return Attempt(status=status, trouble=Trouble(code=code, message=message, hint=hint))


def call_failed(failure: CallFailed, effect: StepEffect) -> Attempt:
    """What a failed call means for its attempt: the service refused, gave no usable answer, or nobody can know."""
    if is_in_doubt(failure, effect):
        return in_doubt(failure.trouble)
    status, covered_by = _MEANING[failure.kind]
    again = None if failure.final else covered_by
    return Attempt(status=status, trouble=failure.trouble, again=again, retry_after=failure.retry_after)


def is_in_doubt(failure: CallFailed, effect: StepEffect) -> bool:
    """Whether something may have happened that must not happen twice."""
    return failure.kind is FailureKind.UNANSWERED and effect is StepEffect.ONCE


def in_doubt(cause: Trouble, *, why: str | None = None, by_log: bool = True, advice: str = "") -> Attempt:
    """A `once` call may have happened: `why` the log did not settle it. `by_log`: it may do so later."""
    more, hint = f"; {why}" if why else "", SETTLE if by_log else f"{SETTLE_BY_HAND}{advice}"
    found = not_passed("E401", f"{MAY_HAVE_HAPPENED}: {cause.message}{more}", hint, status=Status.UNKNOWN)
    return replace(found, cause=cause, by_hand=not by_log)


MAY_HAVE_HAPPENED: Final = "it may or may not have happened"
SETTLE: Final = (
    "let `runner reconcile` ask the process log again (a process that still runs may not be in it yet), or check the "
    "site and say how it ended with `runner resume --as`"
)
"""What can be done about a call in doubt."""
SETTLE_BY_HAND: Final = (
    "look for it in the process log of the site, and say how it ended with `resume --step --as`: "
    "`reconcile` cannot settle it"
)
_MEANING: Final = {
    FailureKind.NOT_SENT: (Status.ERROR, RetryOn.NOT_SENT),
    FailureKind.TURNED_AWAY: (Status.ERROR, RetryOn.NOT_SENT),
    FailureKind.REFUSED: (Status.FAILED, RetryOn.REFUSED),
    FailureKind.UNANSWERED: (Status.ERROR, RetryOn.UNANSWERED),
}
