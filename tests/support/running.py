"""A command of the runner in a process of its own, whose messages are read line by line while it goes on.

What a test does next waits for a line that says how far the command is, never for a time to pass.
"""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

RUNNER = str(Path(sys.executable).with_name("runner"))
TIME = 300.0
"""Seconds after which a test gives up; where all is well nothing takes as long."""


@dataclass
class Command:
    """`said` is what was read of stderr so far, line by line."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)
    _lines: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def until(self, words: str) -> None:
        """Read what it says until a line holds these words."""
        while not (self.said and words in self.said[-1]):
            try:
                self.said.append(self._lines.get(timeout=TIME))
            except queue.Empty:
                self.said.append("")
            assert self.said[-1], f"{words!r} was not said: {self.said}"

    def tell(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code; `said` is whole then."""
        code = self.process.wait(TIME)
        while (line := self._lines.get(timeout=TIME)) != "":
            self.said.append(line)
        return code

    @property
    def err(self) -> str:
        return "".join(self.said)

    def listen(self) -> None:
        """Read stderr to its end, in a thread."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put("")


@contextmanager
def command(*arguments: str, out: Path | None = None) -> Iterator[Command]:
    """Begin it, with stdout in the file `out`; it ends with the context, by force where it still goes on."""
    with open(out or "/dev/null", "w") as stdout:  # noqa: PTH123  the device is no path of ours
        process = subprocess.Popen([RUNNER, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True)
    begun = Command(process)
    listening = threading.Thread(target=begun.listen, daemon=True)
    listening.start()
    try:
        yield begun
    finally:
        process.kill()
        process.wait()
        listening.join()
        assert process.stderr is not None
        process.stderr.close()
