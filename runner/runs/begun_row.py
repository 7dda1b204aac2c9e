"""A row that has begun and not ended: what is known of it where its events break off."""

from msgspec import Struct

from runner.runs.events import AttemptFailed, CallSent, Row, Trouble

_RESUME = "`runner resume` looks for it in the process log, and never sends it again"
_HELD = "`runner resume --hold` looks for it in the process log, never sends it again, and waits for its result"
_ASKED = "`runner resume` asks it again, at a terminal; `--yes` answers it without a terminal"
_JUDGED = "`runner resume` judges it and goes on; it is not sent again"


class BegunRow(Struct):
    """A row that has begun and not ended, and what its calls have come to."""

    row: Row
    started: float
    sent: str = ""
    pending: bool = False  # nothing is known yet of the last call
    changing_calls: int = 0
    in_doubt: bool = False  # a `once` call was sent, and may have happened
    answered: bool = False  # so was such a call
    doubt: Trouble | None = None  # with which a person was asked
    by_hand: bool = False  # only a person can settle it

    def send(self, event: CallSent) -> None:
        self.sent = event.effect
        self.pending = True
        self.changing_calls += event.effect != "read"
        if event.effect == "once":
            self.in_doubt = True
            self.answered = False
            self.doubt = None
            self.by_hand = False

    def answer(self) -> None:
        """The call that was sent last is answered; a reading in between settles no doubt."""
        self.pending = False
        if self.sent == "once":
            self.in_doubt = False
            self.answered = True

    def fail(self, event: AttemptFailed) -> None:
        """Only a call that never left, or was surely refused, is out of doubt. `stopped` as its answer: it did not."""
        if event.kind == "in_doubt":
            self.in_doubt = True
            self.doubt = event.error
            self.by_hand = event.by_hand
        is_refused = event.kind == "refused" and not event.unproved
        never_left = event.kind == "not_sent" or (event.kind == "stopped" and self.pending)
        if self.sent == "once" and (is_refused or never_left):
            self.in_doubt = False
        self.pending = False

    def attempts(self) -> int:
        """Calls that could change something; readings of the log alone count as an attempt."""
        return self.changing_calls or int(bool(self.sent))

    def trouble(self) -> Trouble:
        """Why the row has no end of its own."""
        if self.in_doubt and self.doubt is not None:
            return self.doubt
        if self.in_doubt:
            message = "the run broke off before it was known how the call ended: it may or may not have happened"
            return Trouble(code="E401", message=message, hint=_HELD if self.row.needs_result else _RESUME)
        if self.answered:
            message = "the run broke off after the call was answered, before it was judged"
            return Trouble(code="E312", message=message, hint=_JUDGED)
        if self.row.kind == "confirm":
            return Trouble(code="E312", message="the question is not answered yet", hint=_ASKED)
        return Trouble(code="E312", message="the run broke off in this step")
