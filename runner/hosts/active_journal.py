"""The journal of a run under way: its events by the run's active seconds, and the mark where a run is resumed."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from runner.hosts.turns import RunLeftError
from runner.runs import events
from runner.runs.journal import Journal


class ActiveJournal(Struct, kw_only=True):
    """What the run waits for outside of its calls is no active time."""

    journal: Journal
    clock: Callable[[], float]
    lets_in: Callable[[], bool]  # asked once before a run is resumed; at its no it is left
    resumed: events.RunResumed  # how it is marked
    waits: tuple[events.Waited, ...]  # for locks
    resumed_at: float = 0.0
    is_due: bool = False  # what was written last has to be safe before anything else takes time
    is_resumption_new: bool = False  # the engine does not know yet that the run was resumed
    _started: float = 0.0  # by the clock, were all time since then active
    _is_broken_off: bool = False  # the next event is the first after the break

    def begin_at(self, t: float, *, is_broken_off: bool) -> None:
        """The run begins now, or goes on after what was played back up to `t`."""
        self._started = self.clock() - t
        self._is_broken_off = is_broken_off

    def t(self) -> float:
        return round((self.clock() - self._started) * 1e6) / 1e6  # `round` to six digits takes three times as long

    def pass_over(self, seconds: float) -> None:
        """So much of the time that has passed was not active."""
        self._started += seconds

    def append(self, event: events.AnyEvent, *, durable: bool = False) -> None:
        """Raises `RunLeftError`, as `resume` does."""
        self.resume()
        self.journal.append(event, durable=durable)

    def commit(self) -> None:
        """What was answered is safe from a kill before something else takes time."""
        self.is_due = False
        self.journal.commit()

    def note_waits(self) -> None:
        for waited in self.waits:
            self.journal.append(replace(waited, t=self.t()))

    def resume(self) -> None:
        """Mark where a run that broke off is resumed, once. Raises `RunLeftError` where the site does not let us in."""
        if not self._is_broken_off:
            return
        if not self.lets_in():
            raise RunLeftError
        self._is_broken_off, self.is_resumption_new, self.resumed_at = False, True, self.t()
        self.journal.append(replace(self.resumed, t=self.resumed_at))
        self.note_waits()

    def was_resumed(self) -> bool:
        """Whether the run was resumed since this was asked last, so that the engine learns it once."""
        is_new, self.is_resumption_new = self.is_resumption_new, False
        return is_new
