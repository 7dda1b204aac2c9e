"""The statuses of a process, by their names in the log, in RunProcess and here, and what they mean for a call."""

from typing import Final

from msgspec import Struct


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """A status of a process."""

    word: str
    id: str | None = None  # of the lookup SysProcessStatus [M]; of `inactive` and `cancelling` [C]
    numbers: tuple[int, ...] = ()  # of `processStatus` [M]
    has_ended: bool = False
    code: str | None = None  # the failure of a call whose process ended so
    what: str = ""  # its end


PROCESS_STATUSES: Final = {
    status.word: status
    for status in (
        ProcessStatus(word="done", id="815c9586-b6e2-df11-971b-001d60e938c6", numbers=(2,), has_ended=True),
        ProcessStatus(
            word="error",
            id="f942c08d-b6e2-df11-971b-001d60e938c6",
            numbers=(3,),
            has_ended=True,
            code="E203",
            what="failed",
        ),
        ProcessStatus(word="running", id="ed2ae277-b6e2-df11-971b-001d60e938c6", numbers=(1,)),
        ProcessStatus(
            word="cancelled",
            id="1be78f3e-234d-4d6a-869a-dc07253fd2f3",
            numbers=(4,),
            has_ended=True,
            code="E204",
            what="was cancelled",
        ),
        ProcessStatus(  # it waits for its turn to be stopped [D], and will not pass any more
            word="cancelling",
            id="006f6d7a-6d9a-4e8c-bf5f-2ddac8b3df9a",
            numbers=(5,),
            code="E204",
            what="is being cancelled",
        ),
        ProcessStatus(word="queued"),
        ProcessStatus(word="inactive", id="67700d9c-28ac-46ef-9037-b81a53b7b330", numbers=(0,)),
    )
}
"""By their words, in the order in which messages list them."""

BY_NUMBER: Final = {number: status.word for status in PROCESS_STATUSES.values() for number in status.numbers}
_LOGGED: Final = [status for status in PROCESS_STATUSES.values() if status.id is not None]
KNOWN: Final = frozenset(status.word for status in _LOGGED)  # what the log may show
UNDER_WAY: Final = frozenset(status.word for status in _LOGGED if not status.has_ended)
BEGUN: Final = UNDER_WAY - {"inactive"}
NOT_ENDED: Final = frozenset(status.word for status in PROCESS_STATUSES.values() if not status.has_ended)
"""Also where no row shows it yet."""
ENDED_BADLY: Final = frozenset(status.word for status in _LOGGED if status.code is not None)  # or is about to
