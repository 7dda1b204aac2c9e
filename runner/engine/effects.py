"""What the engine asks of its host, and what the host answers. The engine itself touches nothing outside."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from msgspec import Struct

from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.runs.events import AnyEvent
from runner.runs.evidence import PauseReason, Person
from runner.runs.store import RowQuery
from runner.service.calls import Call, CallFailed


class Send(Struct, frozen=True, kw_only=True):
    """Send a call within `seconds`."""

    key: str
    call: Call
    effect: StepEffect
    seconds: float
    watermark: JsonObject | None = None
    secret: bool = False  # the answer is kept out of every event
    turn: str | None = None  # a process whose starts take turns, from the watermark to a `Sleep` that frees it


class Sleep(Struct, frozen=True, kw_only=True):
    """Wait for `seconds`."""

    key: str
    seconds: float
    jitter: float = 0.0  # the share by which the host varies it, at random
    frees_turn: bool = False  # another run may start the same process
    why: PauseReason = PauseReason.POLL


class Ask(Struct, frozen=True, kw_only=True):
    """Ask a person; answered with `Done(True)`, another answer, or None after `seconds`."""

    key: str
    text: str
    seconds: float | None = None
    help: str | None = None  # for a person who does not know what to answer


class ResolveDoubt(Struct, frozen=True, kw_only=True):
    """Ask for a verdict on rows in doubt, answered with `Done({"as": …})` as in `runner.runs.events.Asked`.

    A host without an answer may leave the run here: resumed, it asks again.
    """

    keys: tuple[str, ...]
    ended: bool  # the run is over but for this: `retry` and `unknown` are no answers
    refused: bool = False  # the last answer was refused
    secret: frozenset[str] = frozenset()  # rows whose result is kept out of every event


class QueryPeers(RowQuery, frozen=True, kw_only=True):
    """Ask which rows of the log other calls own; answered with `Done` and the fields of `runner.runs.store.Others`."""

    nothing_began: bool = False  # the log shows no start of the refused call of `key`: others need not count it
    still_waits: bool = False  # it was answered, and the log shows no row so far: it may begin much later


class PollStop(Struct, frozen=True):
    """Ask whether a signal came, or the run broke off: before a step, before a start, and when the steps or all are
    over.

    Answered with None, which is not journaled, `Stopped`, or `Done` for a resumed run.
    """


class Note(Struct, frozen=True):
    """Write down what happened. Answered with None."""

    event: AnyEvent


Effect: TypeAlias = Send | Sleep | Ask | ResolveDoubt | QueryPeers | PollStop | Note


class SendDelay(Struct, frozen=True, kw_only=True):
    """A call left at the active second `t`, late by `seconds`, which need not all be active.

    It waited for the pace or a slow disk, or the machine slept.
    """

    t: float
    seconds: float


class Done(Struct, frozen=True, kw_only=True):
    """The effect was performed."""

    t: float  # the run's active seconds when it ended
    value: Json = None
    date: str | None = None  # the server's own time
    resumed: bool = False  # the run broke off since the outcome before
    delay: SendDelay | None = None  # a call left late


class Failed(Struct, frozen=True, kw_only=True):
    t: float
    failure: CallFailed
    resumed: bool = False
    delay: SendDelay | None = None


class Stopped(Struct, frozen=True, kw_only=True):
    """A signal came: the effect was not performed; `over`: no other will be. `ordered_by` had a fleet's run stopped."""

    t: float
    why: str
    ordered_by: Person | None = None
    over: bool = False
    resumed: bool = False


Outcome: TypeAlias = Done | Failed | Stopped

_T = TypeVar("_T")
Running: TypeAlias = Generator[Effect, Outcome | None, _T]
