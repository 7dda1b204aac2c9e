"""What a site has: its processes, with what each takes and gives.

A catalogue file, packages in git and a folder of doubles give the same records. What nobody could find out is
unknown here, and never guessed: nothing is reported for it.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.discreet import Discreet
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json

ENDING = ".catalog.yaml"
"""How the name of a catalogue's file ends."""
PROCESS_CODE: Final = lazy_pattern(r"[A-Z][a-z]+[A-Z]\w*")
"""How the code of a process looks: `UsrCreateOrder`."""


class Kind(StrEnum):
    """The type of a parameter, or of an item of a collection, in the words of the language."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    GUID = "guid"
    LOOKUP = "lookup"
    DATETIME = "datetime"
    DATE = "date"
    TIME = "time"
    RECORDS = "records"
    UNKNOWN = "unknown"

    @classmethod
    def named(cls, word: Json) -> "Kind":
        """The type that a file names; unknown for a word that names none."""
        return cls(word) if isinstance(word, str) and word in cls.__members__.values() else cls.UNKNOWN


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    BOTH = "both"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


TAKEN = (Direction.IN, Direction.BOTH, Direction.UNKNOWN)
GIVEN = (Direction.OUT, Direction.BOTH, Direction.UNKNOWN)
"""A parameter of an unknown direction may be either."""


class Parameter(Discreet, frozen=True, kw_only=True):
    """`items` are the columns of a `records` parameter, none where they are not known. `lookup` is the id of the schema
    that a lookup leads to. `caption` is for people. `is_exact`: what it takes is known for sure, as in a sandbox.
    """

    NOT_COMPARED: ClassVar = frozenset({"is_exact"})

    kind: Kind
    direction: Direction = Direction.IN
    items: Mapping[str, Kind] = field(default_factory=dict)
    lookup: str | None = None
    caption: str = ""
    is_exact: bool = False


class ProcessElement(Struct, frozen=True, kw_only=True):
    """An element of a process's design; `uid` is in lower case, `name` the design's own, `caption` for people, as are
    `also`, its captions in other languages.
    """

    uid: str
    name: str
    kind: str = field(name="type")
    caption: str = ""
    also: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """All that it is called, without upper case: its captions and its name."""
        return {name.strip().casefold() for name in (self.caption, *self.also, self.name) if name}

    @property
    def shown(self) -> str:
        """What people know it by."""
        return self.caption or self.name


class ProcessVersion(Discreet, frozen=True, kw_only=True):
    """A version of a process: a schema of its own [C], `uid` in its design. What is not known is None."""

    NOT_COMPARED: ClassVar = frozenset({"parameters"})

    code: str
    uid: str | None = None
    version: int | None = None
    active: bool | None = None
    enabled: bool | None = None
    parameters: Mapping[str, Parameter] | None = None


class Process(Struct, frozen=True, kw_only=True, dict=True):
    """A process, by the code that callers name: that of its root. What it takes and gives is the active version's.

    `why_not` says why nobody can start it, None where everybody can, or where that is not known. `members` are its
    versions where there are several; `traced`: whether its elements are logged.
    `parameters` are by their codes, whose case matters [M]. `parameters` and `elements` are None where they could not
    be read; `unread` then says why.
    """

    code: str
    caption: str = ""
    version: int | None = None
    why_not: str | None = None
    traced: bool | None = None
    members: tuple[ProcessVersion, ...] = ()
    parameters: Mapping[str, Parameter] | None = field(default_factory=dict)
    elements: tuple[ProcessElement, ...] | None = ()
    unread: str | None = None

    @property
    def active_code(self) -> str | None:
        """The code of the active version, whose parameters these are; None where it is not known."""
        if self.parameters is None:
            return None
        return next((member.code for member in self.members if member.active), None) if self.members else self.code

    @cached_property
    def takes(self) -> frozenset[str]:
        return frozenset(code for code, given in (self.parameters or {}).items() if given.direction in TAKEN)

    @cached_property
    def gives(self) -> frozenset[str]:
        return frozenset(code for code, given in (self.parameters or {}).items() if given.direction in GIVEN)

    @property
    def versions(self) -> tuple[ProcessVersion, ...]:
        """All of them, also a single version."""
        return self.members or (ProcessVersion(code=self.code, version=self.version, active=None, enabled=None),)

    def in_version(self, number: int) -> "Process":
        """The process as it is called in this version, which it has, whether it is active or not."""
        member = next((version for version in self.members if version.version == number), None)
        why_not = "this version is disabled" if member is not None and member.enabled is False else None
        if number == self.version:
            is_acting = member is None or member.active is not False
            return self if is_acting else replace(self, why_not=why_not)
        known = None if member is None else member.parameters
        return replace(self, version=number, why_not=why_not, parameters=known, elements=None)


class Pulled(Struct, frozen=True, kw_only=True):
    """When, in UTC, and by whom: a user of the machine that it happened on."""

    at: str
    by: str


class Entity(Struct, frozen=True, kw_only=True):
    """`columns`: what a reader is given; `paths`: what filters may name; `numbers`, `booleans`: of such values."""

    columns: frozenset[str]
    paths: frozenset[str]
    numbers: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()


class Catalogue(Struct, frozen=True, kw_only=True):
    """The processes of a site by their codes. `name` is what messages call it; `hint` is how to bring it up to date.

    `entities` are None where they are not known, an entity where its columns are not. `doubles` is the folder of
    a sandbox, in which another process can be written; `packages` are the folders that it was read from, if any.
    A mapping may make its records when they are asked for: of five hundred processes a job uses three.
    """

    name: str
    processes: Mapping[str, Process]
    site: str = ""
    pulled: Pulled | None = None
    hint: str | None = None
    entities: Mapping[str, Entity | None] | None = None
    doubles: str | None = None
    packages: tuple[str, ...] = ()

    def called(self, code: str, version: Json) -> Process | None:
        """What a call of `code` starts; with a number, in this version."""
        process = self.processes.get(code)
        if process is None or not isinstance(version, int) or isinstance(version, bool):
            return process
        return process.in_version(version)

    def family_of(self, code: str) -> tuple[Process, ProcessVersion] | None:
        """The process that `code` is a version of, though callers do not name it so."""
        for process in self.processes.values():
            for member in process.members:
                if member.code == code != process.code:
                    return process, member
        return None
