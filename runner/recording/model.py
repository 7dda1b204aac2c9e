"""What could be seen of a run of a process, on its site and in stored runs; `unseen` says what could not."""

from collections.abc import Mapping

from msgspec import Struct, field

from runner.catalogue.model import Process
from runner.foundation.values import Json


class Passed(Struct, frozen=True, kw_only=True):
    """An element that the run came to."""

    id: str | None = None  # its own in this run
    uid: str | None = None  # of its design
    caption: str = ""
    kind: str = ""  # as in a design
    status: str | None = None  # `running`, `done`, `error`, `cancelled` or the site's own id
    error: str | None = None
    executed: bool = False  # by a call of ours, so the process waited there
    given: Mapping[str, Json] = field(default_factory=dict)
    seconds: float | None = None  # it took

    @property
    def is_open(self) -> bool:
        """Whether the process waits at it now, or did so when it ended."""
        return self.status in ("running", "cancelled")


class Recorded(Struct, frozen=True, kw_only=True):
    """What could be seen of a run."""

    id: str
    process: Process  # the version that ran
    status: str | None
    error: str | None = None
    seconds: float | None = None
    way: tuple[Passed, ...] = ()  # its elements in order
    given: Mapping[str, Json] | None = None  # by a call of ours
    results: Mapping[str, Json] | None = None
    in_background: bool = False  # the results came while it ran
    unseen: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.process.code

    def names_element(self, value: Json) -> bool:
        """Whether a value is the id of an element of it, which no other run has."""
        return isinstance(value, str) and any(value == passed.id for passed in self.way)
