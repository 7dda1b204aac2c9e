"""An element of one running process, as the site tells of it."""

from dataclasses import dataclass

MAY_BE_EXECUTED = frozenset({"running", "error"})
"""The vendor shows its own button for these [C], for the second while the process is not cancelled."""
GONE = "gone"
"""The status of an element that the engine's store held, and holds no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An element as one process has it. `uid` is that of its design; what nobody told is None.

    `held`: the engine's own store tells of it.
    """

    id: str
    uid: str | None
    status: str | None
    kind: str | None = None
    caption: str | None = None
    error: str | None = None
    held: bool = False
