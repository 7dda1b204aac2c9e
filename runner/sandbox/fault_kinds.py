"""What may go wrong with a call: a record for each fault, with its words for the schema and its effect.

A fault is added by a record here and a test of it: `pytest --update` writes its name into the schema of doubles and
into the README, and `runner validate`, `POST /sandbox/faults` and the page read this table.

What the other side of a broken network looks like is real: a connection that is cut is cut. What a fault answers is a
choice [?] where no source says. A process that a broken call has started goes on by itself.
"""

from collections.abc import Awaitable, Mapping
from typing import Final, Protocol, TypeVar

from msgspec import Struct

_Reply = TypeVar("_Reply")


class FaultyCall(Protocol[_Reply]):
    """A call that a fault is applied to. Nothing has happened yet: an effect starts it, or does not, and answers it."""

    async def answered(self, *, failing: str | None = None) -> _Reply:
        """Carry it out, and give the right answer. With `failing` its process fails at its end with that text."""

    def started(self) -> "FaultyCall[_Reply]":
        """The same call, which is carried out by itself: nobody waits for it."""

    def queued(self, seconds: float) -> _Reply:
        """Start its process later, and give the answer of a process that is queued."""

    async def pause(self, seconds: float) -> None: ...
    def half(self, whole: _Reply) -> _Reply: ...
    def cut(self) -> _Reply: ...
    def page(self, title: str, *, status: int = 200) -> _Reply: ...
    def service_fault(self, text: str) -> _Reply: ...
    def to_login_page(self) -> _Reply: ...
    def not_signed_in(self) -> _Reply: ...


class Effect(Protocol):
    def __call__(self, call: FaultyCall[_Reply], seconds: float, /) -> _Reply | Awaitable[_Reply]: ...


class FaultKind(Struct, frozen=True, kw_only=True):
    """`help` is what editors show. `seconds`: it takes time, by default so many seconds; None where it takes none.

    `of_starts`: it is applied to calls that start a process, and none that execute an element.
    """

    effect: Effect
    help: str
    seconds: float | None = None
    of_starts: bool = False


async def _slow(call: FaultyCall[_Reply], seconds: float) -> _Reply:
    reply = await call.answered()
    await call.pause(seconds)
    return reply


async def _half_body(call: FaultyCall[_Reply], _: float) -> _Reply:
    return call.half(await call.answered())


FAULT_KINDS: Final[Mapping[str, FaultKind]] = {
    "slow": FaultKind(effect=_slow, seconds=5.0, help="The answer comes late, after the process ran."),
    "drop_before": FaultKind(effect=lambda call, _: call.cut(), help="The connection is cut, and nothing starts."),
    "drop_after": FaultKind(
        effect=lambda call, _: call.started().cut(), help="The connection is cut, and the process starts."
    ),
    "status_500": FaultKind(
        effect=lambda call, _: call.service_fault("The sandbox was asked to answer with a fault (status_500)"),
        help="A fault of the service, and nothing starts.",
    ),
    "gateway_504": FaultKind(
        effect=lambda call, _: call.started().page("504 Gateway Time-out", status=504),
        help="A gateway gives up, and the process starts.",
    ),
    "login_page": FaultKind(
        effect=lambda call, _: call.to_login_page(), help="The call is sent to the login page, and nothing starts."
    ),
    "unauthorized": FaultKind(
        effect=lambda call, _: call.not_signed_in(), help="The session is not known, and nothing starts."
    ),
    "queued": FaultKind(
        effect=lambda call, seconds: call.queued(seconds), seconds=1.0, of_starts=True, help="The process starts later."
    ),
    "success_but_error": FaultKind(
        effect=lambda call, _: call.answered(
            failing="The sandbox was asked to let this process fail (success_but_error)"
        ),
        of_starts=True,
        help="The answer is good, and the process fails.",
    ),
    "html": FaultKind(
        effect=lambda call, _: call.started().page("Down for maintenance"),
        help="A page of somebody else, and the process starts.",
    ),
    "half_body": FaultKind(effect=_half_body, help="The answer ends halfway, after the process ran."),
}
TAKING_TIME: Final = tuple(name for name, kind in FAULT_KINDS.items() if kind.seconds is not None)
