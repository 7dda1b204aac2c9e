"""Every order in which the steps of programs can happen that start one process at the same time.

Each program is a thread with the real host, engine and store. It waits before each step that others may notice, and one
step is made at a time. What follows a state is carried out once. Time is the model's own: a step takes a millisecond,
or leads to the moment that it waits for.
"""

import os
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class KilledError(BaseException):
    """The program is gone, with whatever it was about to do."""


@dataclass(kw_only=True, eq=False)
class Actor:
    """Who makes steps. `next` is the kind of the step that it waits to make, None where it makes no more; it can be
    made when `ready` says so, and not before `due`.
    """

    name: str
    next: str | None = None
    due: float = 0.0
    ready: Callable[[], bool] = lambda: True
    step: Callable[[], None] = lambda: None
    ahead: Callable[[], frozenset[str]] = frozenset


@dataclass(kw_only=True)
class Point:
    """A moment at which one of several steps can be made: `left` are those that were not tried here."""

    left: list[str]
    chosen: str


@contextmanager
def on_one_processor() -> Iterator[None]:
    """Threads that take turns cost half of what they do on two: none is woken on a processor that sleeps."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    here = Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[36]
    os.sched_setaffinity(0, {int(here)})
    yield
    os.sched_setaffinity(0, before)


def orders(carry_out: Callable[["Choice"], None]) -> Iterator[list[str]]:
    """Carry out every order up to where it comes to a state that is known; gives who made the steps, after each.

    `carry_out` begins anew each time.
    """
    points: list[Point] = []
    known: set[Hashable] = set()
    while True:
        carry_out(Choice(points, known))
        yield [point.chosen for point in points]
        while points and not points[-1].left:
            points.pop()
        if not points:
            return
        points[-1].chosen = points[-1].left.pop()


class Choice:
    """Chooses the next step of one order: first as in the order before, then a step that was not tried yet."""

    def __init__(self, points: list[Point], known: set[Hashable]) -> None:
        self._points = points
        self._known = known
        self._made = 0

    def next(self, enabled: Sequence[str], state: Callable[[], Hashable]) -> str | None:
        """The actor that makes the next step; None where all that could follow is known."""
        if self._made == len(self._points):
            if (now := state()) in self._known:
                return None
            self._known.add(now)
            self._points.append(Point(left=[*enabled[1:]], chosen=enabled[0]))
        point = self._points[self._made]
        self._made += 1
        return point.chosen


TICK: Final = 0.001


DEPENDENT: Final = {
    "begin": {"begin", "resume", "mark", "store", "send", "turn"},
    "turn": {"begin", "turn", "mark", "store", "send", "read", "ask", "show", "sleep"},
    "resume": {"begin", "resume", "mark", "store", "send", "show", "ask"},
    "mark": {"begin", "resume", "sleep", "show", "store"},
    "store": {"begin", "resume", "sleep", "mark", "store", "ask"},
    "send": {"begin", "resume", "sleep", "send", "ask"},
    "show": {"resume", "mark", "read"},
    "read": {"show"},
    "ask": {"resume", "store", "send", "ask"},
    "sleep": {"mark", "store", "send"},
}
"""Of each kind of step those to which it matters which is first. That time passes matters up to when a call is sent."""


class Scheduler:
    """Makes the steps of `actors`; `made` are those that were made."""

    def __init__(self) -> None:
        self.now = 0.0
        self.actors: dict[str, Actor] = {}
        self.made: list[str] = []

    def is_alone(self, actor: Actor) -> bool:
        """Whether no step that others can still make matters to the next of this actor, nor this to theirs."""
        others = {kind for other in self.actors.values() if other is not actor for kind in self.ahead(other)}
        return not others & DEPENDENT[str(actor.next)]

    def ahead(self, actor: Actor) -> frozenset[str]:
        return frozenset() if actor.next is None else actor.ahead()

    def make_steps(self, choice: Choice, state: Callable[[], Hashable], *, until: Sequence[Actor]) -> bool:
        """Whether the programs `until` came to their end."""
        while True:
            waiting = [actor for actor in self.actors.values() if actor.next is not None and actor.ready()]
            if all(program.next is None for program in until):
                return True
            if self.made and self.made[-1].endswith(": show"):
                by = self.made[-1].split(":")[0]
                waiting = [a for a in waiting if a.next in ("read", "mark") or (a.next == "show" and a.name > by)]
                if not waiting:
                    return False
            alone = next((actor for actor in waiting if self.is_alone(actor)), None)
            name = choice.next([actor.name for actor in ([alone] if alone else waiting)], state)
            if name is None:
                return False
            actor = self.actors[name]
            self.made.append(f"{name}: {actor.next}")
            self.now = round(max(self.now + TICK, actor.due), 6)
            actor.step()


def _closed_gate() -> threading.Lock:
    """Whoever acquires it waits until another thread releases it: once each time. A semaphore takes far longer."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class Program(Actor):
    """A thread that makes a step only when it is its turn."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, step=self._go_on)
        self.error: BaseException | None = None
        self._may, self._waits = _closed_gate(), _closed_gate()
        self._killed = False
        self._thread: threading.Thread | None = None

    def start(self, do: Callable[[], None]) -> None:
        """Carry `do` out up to its first step."""
        self._killed = False
        self._thread = threading.Thread(target=self._carry, args=(do,), daemon=True)
        self._thread.start()
        self._waits.acquire()

    def before(self, kind: str, *, due: float = 0.0, ready: Callable[[], bool] = lambda: True) -> None:
        """Wait until the step is to be made."""
        if self._killed:
            raise KilledError
        self.next, self.due, self.ready = kind, due, ready
        self._waits.release()
        self._may.acquire()
        if self._killed:
            raise KilledError

    def kill(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._killed = True
            self._may.release()
            self._thread.join()
            self._waits = _closed_gate()
        self.next = None

    @property
    def is_killed(self) -> bool:
        return self._killed

    def _go_on(self) -> None:
        self.next = None
        self._may.release()
        self._waits.acquire()

    def _carry(self, do: Callable[[], None]) -> None:
        try:
            do()
        except KilledError:
            pass
        except BaseException as error:  # noqa: BLE001  the test raises it
            self.error = error
        finally:
            if not self._killed:
                self.next = None
            self._waits.release()
