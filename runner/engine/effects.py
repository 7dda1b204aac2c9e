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
    """Send a call within `seconds`. `secret`: the answer is kept out of every event.

    `turn` names a process whose starts take turns within one program, from the watermark to a `Sleep` that frees it, or
    the end of the row: the host waits for the turn before it sends, and gives it back then.
    """

    key: str
    call: Call
    effect: StepEffect
    seconds: float
    watermark: JsonObject | None = None
    secret: bool = False
    turn: str | None = None


class Sleep(Struct, frozen=True, kw_only=True):
    """Wait for `seconds`, more or less by a share of up to `jitter` that the host draws.

    `frees_turn`: another run may start the same process, as nothing of the step is under way, or its row is known.
    `why` is evidence.
    """

    key: str
    seconds: float
    jitter: float = 0.0
    frees_turn: bool = False
    why: PauseReason = PauseReason.POLL


class Ask(Struct, frozen=True, kw_only=True):
    """Ask a person; answered with `Done(True)`, another answer, or None where `seconds` passed before.

    `help` is for a person who does not know what to answer.
    """

    key: str
    text: str
    seconds: float | None = None
    help: str | None = None


class ResolveDoubt(Struct, frozen=True, kw_only=True):
    """Ask for a verdict on the rows of `keys`, whose calls are in doubt.

    Answered with `Done({"as": …})` as in `runner.runs.events.Asked`, with `"key"` where there are several rows. A host
    without an answer may leave the run here: a fresh engine that is fed with the journal asks again. `ended`: the run
    is over but for this, and `retry` and `unknown` are no answers any more. `refused`: so was the last answer, and a
    host without another answer leaves the run. `secret` are the keys of rows whose result is kept out of every event.
    """

    keys: tuple[str, ...]
    ended: bool
    refused: bool = False
    secret: frozenset[str] = frozenset()


class QueryPeers(RowQuery, frozen=True, kw_only=True):
    """Ask whose these rows of the log are, before one of `rows` is taken for the call of `key`. `rows` are ids of
    processes that the call may have started.

    Answered with `Done({"taken": […], "rival": …})`, as `runner.runs.store.Others` has it: the ids of those that other
    calls own, and whether other runs may have made a row that nobody knows by its id. `keys`: where there is neither,
    the rows belong to the calls of these rows from now on, and to no other, in this run and in all others; None where
    it is only asked. `certain`: the ids prove that they are its own, so that no rival matters. `codes` are those of all
    versions of the process, any of which may have been started. `timed`: the server's own time has distinguished the
    rows from starts that are long over; otherwise a start that lacks its row may have made them, however late that
    comes. `slack`: so many seconds less exactly than mostly the server's time was known when the call was sent.
    `before` are rows of our own user that were there before the call: how many seconds ago each began, by the server's
    time. They may be those of starts that lack theirs, which began before they were read, `before_read` seconds ago.
    `nothing_began`: the log shows that the last start of `key`, which was turned away, has begun nothing. Others need
    not count it. `still_waits`: the log shows no row of it so far, though it was answered: it may begin much later.
    """

    nothing_began: bool = False
    still_waits: bool = False


class PollStop(Struct, frozen=True):
    """Ask whether a signal came, or the run had broken off. Asked before a step begins and before a start is sent, at
    the turning point and at the end: what is sent then is made with what is known by then.

    Answered with None, with `Stopped`, or with `Done` where the run was resumed. A None is not journaled.
    """


class Note(Struct, frozen=True):
    """Write down what happened. Answered with None."""

    event: AnyEvent


Effect: TypeAlias = Send | Sleep | Ask | ResolveDoubt | QueryPeers | PollStop | Note


class SendDelay(Struct, frozen=True, kw_only=True):
    """A call left at the active second `t`, so many `seconds` after the outcome before it: the pace of the site, a disk
    that hung, or a machine that slept. Not all of them need be active time.
    """

    t: float
    seconds: float


class Done(Struct, frozen=True, kw_only=True):
    """The effect was performed. `t` is the run's active seconds when it ended; `date` is the server's own time.

    `resumed`, of any outcome: the run had broken off since the outcome before, for an unknown time. `delay`: a call
    left late.
    """

    t: float
    value: Json = None
    date: str | None = None
    resumed: bool = False
    delay: SendDelay | None = None


class Failed(Struct, frozen=True, kw_only=True):
    t: float
    failure: CallFailed
    resumed: bool = False
    delay: SendDelay | None = None


class Stopped(Struct, frozen=True, kw_only=True):
    """A signal: the effect was not performed; `over`: nor will others be. `ordered_by` had a fleet's run stopped."""

    t: float
    why: str
    ordered_by: Person | None = None
    over: bool = False
    resumed: bool = False


Outcome: TypeAlias = Done | Failed | Stopped

_T = TypeVar("_T")
Running: TypeAlias = Generator[Effect, Outcome | None, _T]
