"""Records some of whose fields are not shown, or do not count when two are compared."""

from typing import Any, ClassVar

from msgspec import Struct


class Discreet(Struct, frozen=True):
    """A record with fields that `repr` leaves out (`NOT_SHOWN`, mostly secrets), or comparisons (`NOT_COMPARED`)."""

    NOT_SHOWN: ClassVar[frozenset[str]] = frozenset()
    NOT_COMPARED: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        shown = (name for name in self.__struct_fields__ if name not in self.NOT_SHOWN)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in self.NOT_COMPARED)
