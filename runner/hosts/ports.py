"""What a host needs from others: who makes the calls, and who knows the owners of rows of the process log."""

from collections.abc import Sequence
from typing import Protocol

from runner.runs.owned_rows import Others
from runner.service.calls import Call, Ending
from runner.service.gate import Gate


class Caller(Protocol):
    """Whoever can make a call: the client of a site. `gate` is asked just before the first byte of it leaves."""

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending: ...


class Owned(Protocol):
    """Whoever knows which rows of the process log belong to which calls, as `runner.runs.owned_rows.RowsOfRun` does."""

    def begin(self, key: str, process: str, *, seconds: float) -> None: ...

    def answer(self, key: str) -> None: ...

    def never_began(self, key: str) -> None: ...

    def ask(
        self,
        key: str,
        codes: tuple[str, ...],
        *,
        rows: Sequence[str],
        keys: Sequence[str] | None,
        certain: bool = False,
        timed: bool = True,
    ) -> Others: ...


class OwnedAlone:
    """There is no other run."""

    def begin(self, key: str, process: str, *, seconds: float) -> None: ...

    def answer(self, key: str) -> None: ...

    def never_began(self, key: str) -> None: ...

    def ask(
        self,
        key: str,
        codes: tuple[str, ...],
        *,
        rows: Sequence[str],
        keys: Sequence[str] | None,
        certain: bool = False,
        timed: bool = True,
    ) -> Others:
        del key, codes, rows, keys, certain, timed
        return Others()
