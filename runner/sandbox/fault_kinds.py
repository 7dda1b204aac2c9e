"""What may go wrong with a call: a record for each fault; `pytest --update` writes its name into schema and README.

A cut connection is cut. What a fault answers is a choice [?] without a source. A started process goes on by itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:  # checks of doubles read this table, and need no web server
    from starlette.responses import Response

    from runner.sandbox.answering import CallInHand

FaultEffect: TypeAlias = "Callable[[CallInHand, float], Response | Awaitable[Response]]"


class FaultKind(Struct, frozen=True, kw_only=True):
    """A fault."""

    effect: FaultEffect  # starts a call or not, and answers it, for so many seconds
    help: str  # in editors
    seconds: float | None = None  # by default, if it takes time
    of_starts: bool = False  # of calls that start a process


async def _slow(call: "CallInHand", seconds: float) -> "Response":
    reply = await call.answered()
    await call.pause(seconds)
    return reply


async def _half_body(call: "CallInHand", _: float) -> "Response":
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
