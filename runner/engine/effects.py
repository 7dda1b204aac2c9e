"""What the engine asks of its host, and what the host answers. The engine itself touches nothing outside."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from runner.events import AnyEvent
from runner.job.model import StepEffect
from runner.service.calls import Call, CallFailed
from runner.values import Json, JsonObject


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
    """Wait for `seconds`, more or less by a share of up to `jitter` that the host draws."""

    key: str
    seconds: float
    jitter: float = 0.0


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
class Judge:
    """How are the rows of `keys` to be taken, whose calls are in doubt?

    Answered with `Done({"as": …})` as `runner.events.Asked` says, with `"key"` where there are several. Who has no
    answer now may leave the run here: a fresh engine that is fed with the journal asks again. `ended`: the run is over
    but for this, and `retry` and `unknown` are no answers any more. `secret` are the keys of rows whose result is kept
    out of every event, also where a person hands it in.
    """

    keys: tuple[str, ...]
    ended: bool
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquire:
    """What do other runs know of starts of this process? Asked when the log has been read, before a start that it shows
    is taken for one in doubt.

    Answered with `Done({"taken": […], "rival": …})`: the ids of those that are known to be theirs, and whether they may
    have made one that nobody knows by its id.
    """

    key: str
    process: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Was the run told to stop, or had it broken off? Asked before a step begins and before a start is sent, where the
    run turns and where it ends: what is sent then is made with what is known by then.

    Answered with None, with `Stopped`, or with `Done` where it was resumed. Nothing is written down of a None.
    """


@dataclass(frozen=True, slots=True)
class Note:
    """Write down what happened. Answered with None."""

    event: AnyEvent


Effect: TypeAlias = Send | Pause | Ask | Judge | Inquire | Listen | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The effect was performed. `t` is the run's active seconds when it ended.

    `resumed`, of any outcome: the run had broken off since the one before, for nobody knows how long.
    """

    t: float
    value: Json = None
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
