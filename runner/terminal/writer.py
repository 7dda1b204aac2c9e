"""A thread that writes what others print, so that a reader that does not read holds nobody up."""

import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO

from runner.foundation import threads

_MOST_WAITING = 1 << 20  # characters of messages that wait for a reader; more is dropped, and a line says how much
_IDLE = 5.0  # seconds at the end of a command in which a reader must have read something, or the rest is dropped
_IDLE_AFTER_A_SIGNAL = 1.0
_LOOK = 0.2  # seconds between two looks at whether a signal has come


class Writer:
    """A thread that writes texts in order, in pieces by `write`; `lose` gets why data was lost. Signals may put."""

    def __init__(
        self,
        *,
        write: Callable[[TextIO, str], object],
        lose: Callable[[OSError | ValueError], object],
        hurry: Callable[[], bool],
        piece: int,
    ) -> None:
        self._write = write
        self._lose = lose
        self._hurry = hurry
        self._piece = piece
        self._queue: queue.SimpleQueue[_Piece | threading.Event | None] = queue.SimpleQueue()
        self._lock = threading.RLock()  # the handler may come while its own thread holds it
        self._put = self._written = 0
        self._dropped: tuple[TextIO, int] | None = None
        threads.start(self._work, name="output")

    def put(self, stream: TextIO, text: str, *, is_data: bool = False) -> None:
        with self._lock:
            if not is_data and self._put + len(text) - self._written > _MOST_WAITING:
                self._dropped = stream, text.count("\n") + (self._dropped[1] if self._dropped else 0)
                return
            self._report_dropped()
            for start in range(0, len(text), self._piece):
                self._hand_over(stream, text[start : start + self._piece], is_data=is_data)

    def is_read(self, idle: float) -> bool:
        """Wait until all of it is written; False where for `idle` seconds nothing was, and for fewer after a signal."""
        passed = threading.Event()
        self._queue.put(passed)
        before, since = self._written, time.monotonic()
        while not passed.wait(_LOOK):
            if self._written != before:
                before, since = self._written, time.monotonic()
            elif time.monotonic() - since > (_IDLE_AFTER_A_SIGNAL if self._hurry() else idle):
                return False
        return True

    def close(self) -> bool:
        """End when all is written; False where it is not read. Then the thread waits, and ends with the program."""
        with self._lock:
            self._report_dropped()
        is_read = self.is_read(_IDLE)
        self._queue.put(None)
        return is_read

    def _report_dropped(self) -> None:
        if self._dropped is not None:
            (stream, lines), self._dropped = self._dropped, None
            what = "1 line was" if lines == 1 else f"{lines} lines were"
            self._hand_over(stream, f"... {what} left out here: nobody had read what came before\n", is_data=False)

    def _hand_over(self, stream: TextIO, text: str, *, is_data: bool) -> None:
        self._put += len(text)
        self._queue.put(_Piece(stream, text, is_data))

    def _work(self) -> None:
        while (found := self._queue.get()) is not None:
            if isinstance(found, threading.Event):
                found.set()
                continue
            try:
                self._write(found.stream, found.text)
            except (OSError, ValueError) as error:
                if found.is_data:
                    self._lose(error)
            self._written += len(found.text)


class _Piece(NamedTuple):
    stream: TextIO
    text: str
    is_data: bool
