"""What the engine asks of its host, and what the host answers. The engine itself touches nothing outside."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.runs.events import AnyEvent
from runner.service.calls import Call, CallFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one call within `seconds`. `secret`: what comes back is kept out of every event.

    `turn` names a process whose starts take turns within one program, from its watermark to the end of the row: the
    host waits for the turn before it sends, and gives it back when the row ends.
    """

    key: str
    call: Call
    effect: StepEffect
    seconds: float
    watermark: JsonObject | None = None
    secret: bool = False
    turn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Wait for `seconds`, more or less by a share of up to `jitter` that the host draws. `between_attempts`: nothing of
    the step is under way, so that others may take their turn.
    """

    key: str
    seconds: float
    jitter: float = 0.0
    between_attempts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask a person; answered with `Done(True)`, or what the person said, or None where `seconds` passed before.

    `help` is for who does not know what to say.
    """

    key: str
    text: str
    seconds: float | None = None
    help: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveDoubt:
    """How are the rows of `keys` to be taken, whose calls are in doubt?

    Answered with `Done({"as": …})` as `runner.runs.events.Asked` says, with `"key"` where there are several. Who has no
    answer now may leave the run here: a fresh engine that is fed with the journal asks again. `ended`: the run is over
    but for this, and `retry` and `unknown` are no answers any more. `refused`: so was the last answer, and whoever has
    no other leaves the run. `secret` are the keys of rows whose result is kept
    out of every event, also where a person hands it in.
    """

    keys: tuple[str, ...]
    ended: bool
    refused: bool = False
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPeers:
    """Whose are these rows of the log? Asked when it has been read, before one of `rows`, ids of processes that the
    call of `key` may have started, is taken for its own.

    Answered with `Done({"taken": […], "rival": …})`: the ids of those that other calls own, and whether other runs may
    have made one that nobody knows by its id. `keys`: where there is neither, the rows belong to the calls of these
    rows from now on, and to no other, in this run and in all others; None where it is only asked. `certain`: that they
    are its own is known by their ids, so that no rival matters. `codes` are those under which the process may have been
    started: of all its versions. `timed`: the server's own time has told the rows apart from starts that are long over;
    else a start that lacks its row may have made them, however late that comes.
    """

    key: str
    process: str
    rows: tuple[str, ...] = ()
    keys: tuple[str, ...] | None = None
    certain: bool = False
    codes: tuple[str, ...] = ()
    timed: bool = True


@dataclass(frozen=True, slots=True)
class PollStop:
    """Was the run told to stop, or had it broken off? Asked before a step begins and before a start is sent, where the
    run turns and where it ends: what is sent then is made with what is known by then.

    Answered with None, with `Stopped`, or with `Done` where it was resumed. Nothing is written down of a None.
    """


@dataclass(frozen=True, slots=True)
class Note:
    """Write down what happened. Answered with None."""

    event: AnyEvent


Effect: TypeAlias = Send | Pause | Ask | ResolveDoubt | QueryPeers | PollStop | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The effect was performed. `t` is the run's active seconds when it ended. `date` is the server's own time, as its
    answer says it.

    `resumed`, of any outcome: the run had broken off since the one before, for nobody knows how long.
    """

    t: float
    value: Json = None
    date: str | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The call failed."""

    t: float
    failure: CallFailed
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A signal: the effect was not performed. `over`: nor will any other be, since the grace has ended."""

    t: float
    why: str
    over: bool = False
    resumed: bool = False


Outcome: TypeAlias = Done | Failed | Stopped

_T = TypeVar("_T")
Running: TypeAlias = Generator[Effect, Outcome | None, _T]
