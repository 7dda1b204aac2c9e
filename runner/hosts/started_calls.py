"""The starts of a run as other runs know them: stored before the call leaves, and void where it has begun nothing."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from runner.engine.effects import QueryPeers, Send
from runner.engine.lost import step_key
from runner.engine.start_bounds import has_begun_nothing
from runner.foundation.values import record
from runner.hosts.replay import ForgottenError
from runner.hosts.turns import Turn
from runner.job.model import Job, StepEffect
from runner.planning.guards import steps_of
from runner.runs.events import CallSent, Line, Trouble
from runner.runs.store import Others, OwnedRows, StoreError
from runner.service.calls import Answered, CallFailed, Ending, FailureKind, RunProcessCall, process_started

_UNSENT: Final = "the call was not sent: its start could not be written down"
_HINT: Final = "make the file usable, then repeat the command"


class StartedCalls(Struct, frozen=True, kw_only=True):
    """The calls of a run that start processes."""

    owned: OwnedRows
    turn: Turn

    def check_known(self, job: Job, earlier: Sequence[Line]) -> None:
        """Raise `ForgottenError` where the `earlier` events lack a stored start, as after a backup was restored."""
        once = {placed.key for placed in steps_of(job) if placed.step.effect is StepEffect.ONCE}
        if not earlier or not once:
            return
        known = {line.event.key for line in earlier if isinstance(line.event, CallSent)}
        unknown = (key for key in sorted(self.owned.sent() - known) if step_key(key) in once)
        if (key := next(unknown, None)) is not None:
            raise ForgottenError(f"its events are an older copy: later it has sent `{key}`, which is not in them")

    def begin(self, send: Send) -> None:
        """The call is about to be sent."""
        if (process := process_started(send.call)) is not None:
            self.turn.start(seconds=send.seconds)
            self.owned.begin(send.key, process, seconds=send.seconds, is_read=send.watermark is not None)

    def leave(self, send: Send) -> None:
        """The call leaves now."""
        if process_started(send.call) is not None:
            self.owned.leave(send.key)

    def end(self, send: Send, ending: Ending) -> None:
        if process_started(send.call) is None:
            return
        if isinstance(ending, CallFailed) and has_begun_nothing(ending):
            self.owned.never_began(send.key)
        elif isinstance(ending, CallFailed) and ending.kind is FailureKind.UNANSWERED:
            self.owned.time_out(send.key)
        elif _is_queued(send, ending):
            self.owned.queue(send.key)
        else:
            self.owned.answer(send.key)

    def drop(self, send: Send) -> None:
        """The call does not leave. Where that cannot be stored, other runs count the start until its time is over."""
        if process_started(send.call) is not None:
            with suppress(StoreError):
                self.owned.never_began(send.key)

    def ask(self, query: QueryPeers, *, is_resumed: bool) -> Others:
        """What others know; or let them know that the last start of a row has begun nothing, or still waits."""
        if not (query.nothing_began or query.still_waits):
            return self.owned.ask(query)
        with suppress(StoreError):
            if query.still_waits:
                self.owned.queue(query.key)
            elif not is_resumed:
                self.owned.set_aside(query.key)
        return Others()


def _is_queued(send: Send, ending: Ending) -> bool:
    answer = record(ending.value) if isinstance(ending, Answered) and isinstance(send.call, RunProcessCall) else {}
    return answer.get("status") == "queued" and answer.get("process_id") is None


def unsent(why: StoreError) -> CallFailed:
    """What is known of a call that did not leave, since its start could not be stored."""
    return CallFailed(
        kind=FailureKind.NOT_SENT, trouble=Trouble(code="E311", message=f"{_UNSENT}: {why}", hint=why.hint or _HINT)
    )
