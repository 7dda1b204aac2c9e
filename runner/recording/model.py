"""What could be seen of a run of a process, on its site and in the runs that are stored here.

What nobody could see is None or absent, and `unseen` holds a sentence about it: nothing is guessed.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from runner.catalogue.model import Process
from runner.foundation.values import Json


class Passed(Struct, frozen=True, kw_only=True):
    """An element that the run came to. `id` is its own in this run, `uid` that of its design; `kind` as in a design.

    `status` is `running`, `done`, `error`, `cancelled` or the site's own id; `executed`: a call of ours executed it,
    so the process waited there. `seconds` is how long it took.
    """

    id: str | None = None
    uid: str | None = None
    caption: str = ""
    kind: str = ""
    status: str | None = None
    error: str | None = None
    executed: bool = False
    given: Mapping[str, Json] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the process waits at it now, or did so when it ended."""
        return self.status in ("running", "cancelled")


class Recorded(Struct, frozen=True, kw_only=True):
    """`code` is what callers name, `process` has the signature of the version that ran.

    `way` are its elements in the order in which it came to them. `given` and `results` are the values that a call of
    ours sent and was answered with; `in_background`: that answer came while the process was running.
    """

    id: str
    process: Process
    status: str | None
    error: str | None = None
    seconds: float | None = None
    way: tuple[Passed, ...] = ()
    given: Mapping[str, Json] | None = None
    results: Mapping[str, Json] | None = None
    in_background: bool = False
    unseen: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.process.code

    def names_element(self, value: Json) -> bool:
        """Whether a value is the id of an element of it, which no other run has."""
        return isinstance(value, str) and any(value == passed.id for passed in self.way)
