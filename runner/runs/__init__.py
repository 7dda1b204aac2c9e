"""What names a store of runs."""

from msgspec import Struct

USUAL = ".runner/runs"  # the folder of runs that is used where none is named


class StoreName(Struct, frozen=True):
    """How messages and command lines name a store of runs: a folder, or the database of a fleet."""

    text: str
    is_fleet: bool = False
    must_be_named: bool = False  # the environment names another store

    def __str__(self) -> str:
        return self.text
