"""Whole processes, started in turn with what they are measured against.

A round starts each of two commands once, so that both meet the same moods of a shared machine. What counts is the
median of the ratios of the rounds. Processor time (user and system) is printed beside wall time: it is steadier where
others are at work, and says nothing of time spent waiting.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took: seconds on the clock, of the processors, and the most memory it held, in MB."""

    seconds: float
    processor: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A command, and what must be done each time before it starts (which is not measured)."""

    command: Sequence[str]
    before: Callable[[], object] = lambda: None

    def start(self) -> Spent:
        self.before()
        return once(self.command)


Round = tuple[Spent, Spent]


def in_turn(ours: Measured, other: Measured, *, rounds: int) -> list[Round]:
    """Both once to warm up, then `rounds` times in turn."""
    return [(ours.start(), other.start()) for _ in range(rounds + 1)][1:]


def alone(ours: Measured, *, seconds: float, rounds: int) -> list[Round]:
    """Beside a computed time instead of another command."""
    return [(ours.start(), Spent(seconds, seconds, 0)) for _ in range(rounds + 1)][1:]


def show(what: str, rounds: Sequence[Round], *, most: float | None, memory: float | None = None) -> None:
    """A line of figures. `most` bounds the ratio of wall times, `memory` the megabytes."""
    walls = [ours.seconds / other.seconds for ours, other in rounds]
    processor = statistics.median(ours.processor / other.processor for ours, other in rounds)
    undisturbed = min(ours.seconds for ours, _ in rounds) / min(other.seconds for _, other in rounds)
    megabytes = max(ours.megabytes for ours, _ in rounds)
    bounds = [f"{most:.2f}" if most is not None else "", f"{memory:.0f} MB" if memory is not None else ""]
    bound = ", ".join(bound for bound in bounds if bound)
    print(
        f"{what:52s} {_seconds(rounds, 0)} {megabytes:4.0f} MB | beside it {_seconds(rounds, 1)}"
        f" | ratio {statistics.median(walls):5.2f}, of the least {undisturbed:.2f}, of processor time {processor:5.2f}"
        + (f" | at most {bound}" if bound else ""),
        flush=True,
    )


def _seconds(rounds: Sequence[Round], side: int) -> str:
    taken = [spent[side].seconds for spent in rounds]
    return f"{statistics.median(taken):7.3f} s (least {min(taken):.3f})"


def once(command: Sequence[str]) -> Spent:
    """One that fails ends the benchmark."""
    with tempfile.TemporaryFile() as out:
        begun = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            out.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{out.read().decode()[-2000:]}")
    return Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
