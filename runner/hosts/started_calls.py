"""The starts of a run as other runs know them: each is stored before its call leaves, and no longer counts where that
has begun nothing.
"""

from contextlib import suppress
from typing import Final

from msgspec import Struct

from runner.engine.effects import QueryPeers, Send
from runner.engine.starts import has_begun_nothing
from runner.foundation.raw import record
from runner.hosts.turns import Turn
from runner.runs.events import Trouble
from runner.runs.store import Others, OwnedRows, StoreError
from runner.service.calls import Answered, CallFailed, Ending, FailureKind, RunProcessCall, process_started

_UNSENT: Final = "the call was not sent: its start could not be written down"
_HINT: Final = "make the file usable, then repeat the command"


class StartedCalls(Struct, frozen=True, kw_only=True):
    """Those of one run; calls that start no process are none of them."""

    owned: OwnedRows
    turn: Turn

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
        """The call does not leave, since something cannot be stored. Perhaps this cannot be, either: then other runs
        count the start until its time is over.
        """
        if process_started(send.call) is not None:
            with suppress(StoreError):
                self.owned.never_began(send.key)

    def ask(self, query: QueryPeers, *, is_resumed: bool) -> Others:
        """The last start of a row that is known may be another than the one that has begun nothing, where the run broke
        off between what is stored of that here and what is in its journal.
        """
        if not query.nothing_began:
            return self.owned.ask(query)
        if not is_resumed:
            with suppress(StoreError):
                self.owned.never_began(query.key)
        return Others()


def _is_queued(send: Send, ending: Ending) -> bool:
    answer = record(ending.value) if isinstance(ending, Answered) and isinstance(send.call, RunProcessCall) else {}
    return answer.get("status") == "queued" and answer.get("process_id") is None


def unsent(why: StoreError) -> CallFailed:
    """What is known of a call that did not leave, since its start could not be stored."""
    return CallFailed(
        kind=FailureKind.NOT_SENT, trouble=Trouble(code="E311", message=f"{_UNSENT}: {why}", hint=why.hint or _HINT)
    )
