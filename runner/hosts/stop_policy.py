"""What may be performed when a run stops: what settles a call in doubt, then `undo` and `finally` within the grace."""

from msgspec import Struct, field

from runner.engine.effects import Ask, Done, Effect, Failed, Note, Outcome, ResolveDoubt, Send, Sleep
from runner.hosts.stop import Stop
from runner.job.model import StepEffect
from runner.runs.events import AnyEvent, RunClosing, RunFinished, StepFinished
from runner.service.calls import FailureKind


class StopPolicy(Struct, kw_only=True):
    """`is_announced`: the engine knows of the stop; `is_closing`: the steps are over; `in_doubt`: rows in doubt."""

    stop: Stop
    is_announced: bool = False
    is_closing: bool = False
    in_doubt: set[str] = field(default_factory=set)

    def learn(self, effect: Effect, outcome: Outcome | None) -> None:
        """Take in what an effect came to, of this process or of the past."""
        match effect:
            case Note(event=event):
                self._learn_of(event)
            case Send(effect=StepEffect.ONCE) if isinstance(outcome, Done) or _may_have_happened(outcome):
                self.in_doubt.add(effect.key)
            case ResolveDoubt(keys=keys):
                self.in_doubt.update(keys)
            case _:
                pass

    def _learn_of(self, event: AnyEvent) -> None:
        match event:
            case StepFinished(key=key):
                self.in_doubt.discard(key)
            case RunClosing():
                self.is_closing = True
            case RunFinished():
                self.is_closing = self.is_announced = False  # what is settled from here on is not waited for
            case _:
                pass

    def allows(self, effect: Send | Sleep | Ask) -> bool:
        """Whether a stopped run may perform it. A call that may have happened is searched for once, without a pause."""
        if self.stop.why is None:
            return True
        if self.stop.is_over():
            return False
        return self.is_announced or self.is_closing or (isinstance(effect, Send) and self.settles(effect))

    def settles(self, effect: Send | Sleep | Ask) -> bool:
        """Whether the process log is read, or waited for, about a call that may have happened."""
        reads = effect.effect is StepEffect.READ if isinstance(effect, Send) else isinstance(effect, Sleep)
        return reads and effect.key in self.in_doubt


def _may_have_happened(outcome: Outcome | None) -> bool:
    if not isinstance(outcome, Failed):
        return False
    failure = outcome.failure
    return failure.kind in (FailureKind.UNANSWERED, FailureKind.TURNED_AWAY) or failure.unproved
