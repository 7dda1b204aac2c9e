"""What names a store of runs."""

from msgspec import Struct

USUAL = ".runner/runs"
"""The folder of runs that is used where none is named."""


class StoreName(Struct, frozen=True):
    """How messages and command lines name what stores runs: a folder, or the database of a fleet.

    `must_be_named`: the environment names another store, so that command lines name this store although it is usual.
    """

    text: str
    is_fleet: bool = False
    must_be_named: bool = False

    def __str__(self) -> str:
        return self.text
