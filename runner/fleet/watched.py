"""The calls of a run, watched for a site that lets nobody in: the run is left for later if it has changed nothing."""

from collections.abc import Callable, Iterable

from runner.fleet.suspended import Suspension, is_shut_out
from runner.hosts.turns import RunLeftError
from runner.job.model import StepEffect
from runner.runs.events import CallSent, Line
from runner.service.calls import Act, Answered, Call, Caller, CallFailed, Ending, FailureKind
from runner.service.gate import Gate


class WatchedCaller:
    """`shut_out` gets why the site lets nobody in. `let_in` gets, after an answer, the `suspension` before the call."""

    def __init__(
        self,
        caller: Caller,
        *,
        has_acted: bool,
        shut_out: Callable[[CallFailed], object],
        suspension: Callable[[], Suspension | None],
        let_in: Callable[[Suspension | None], object],
    ) -> None:
        self._caller = caller
        self._has_acted = has_acted
        self._shut_out = shut_out
        self._suspension = suspension
        self._let_in = let_in

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        """Raises `RunLeftError` where the run is left."""
        suspension = self._suspension()
        ending = self._caller.perform(call, seconds, gate=gate)
        if isinstance(ending, Answered):
            self._let_in(suspension)
        elif not self._has_acted and is_shut_out(ending):
            self._shut_out(ending)
            raise RunLeftError
        did_nothing = isinstance(ending, CallFailed) and ending.kind is FailureKind.NOT_SENT
        self._has_acted = self._has_acted or (isinstance(call, Act) and not did_nothing)
        return ending


def has_acted(lines: Iterable[Line]) -> bool:
    """Whether a run sent calls, before it broke off, that may have changed something."""
    return any(isinstance(line.event, CallSent) and line.event.effect != StepEffect.READ for line in lines)
