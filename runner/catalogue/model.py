"""What a site has: its processes, with what each takes and gives; by a file, packages or doubles.

What nobody could find out is unknown, and nothing is reported for it.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.discreet import Discreet
from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import joined_by_and
from runner.foundation.shell_words import shell_word
from runner.foundation.values import Json

ENDING = ".catalog.yaml"  # how the name of a catalogue's file ends
PROCESS_CODE: Final = lazy_pattern(r"[A-Z][a-z]+[A-Z]\w*")  # how the code of a process looks: `UsrCreateOrder`


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
GIVEN = (Direction.OUT, Direction.BOTH, Direction.UNKNOWN)  # a parameter of an unknown direction may be either


class Parameter(Discreet, frozen=True, kw_only=True):
    """A parameter of a process."""

    NOT_COMPARED: ClassVar = frozenset({"is_exact"})

    kind: Kind
    direction: Direction = Direction.IN
    items: Mapping[str, Kind] = field(default_factory=dict)  # columns of `records`, if known
    lookup: str | None = None  # id of the schema that it leads to
    caption: str = ""
    is_exact: bool = False  # what it takes is certain, as in a sandbox


class ProcessElement(Struct, frozen=True, kw_only=True):
    """An element of a process's design."""

    uid: str  # in lower case
    name: str
    kind: str = field(name="type")
    caption: str = ""
    also: tuple[str, ...] = ()  # captions in other languages

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
    """A process, by the code of its root; it takes and gives what its active version does."""

    code: str
    caption: str = ""
    version: int | None = None
    why_not: str | None = None  # why nobody can start it; None: everybody can, or it is not known
    traced: bool | None = None  # its elements are logged
    members: tuple[ProcessVersion, ...] = ()  # its versions, if there are several
    parameters: Mapping[str, Parameter] | None = field(default_factory=dict)  # by code, in its case [M]; None: unread
    elements: tuple[ProcessElement, ...] | None = ()  # None: unread
    unread: str | None = None  # why they could not be read
    changes: frozenset[str] = frozenset()  # the entities whose records its double changes

    @property
    def active_code(self) -> str | None:
        """The code of the active version, to which the parameters belong; None: not known."""
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
        """All versions, also a single version."""
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


def _unknown(_: str) -> None:
    return None


class Entity(Struct, frozen=True, kw_only=True):
    """`columns`: what a reader is given; `paths`: what filters may name, but not `lookups` that hold GUIDs."""

    columns: frozenset[str]
    paths: frozenset[str]
    lookups: frozenset[str] = frozenset()
    column_type: Callable[[str], str | None] = _unknown  # as `$metadata` names it


class Catalogue(Struct, frozen=True, kw_only=True):
    """The processes of a site by their codes. A mapping may make records when they are asked for: a job uses few."""

    name: str  # in messages
    processes: Mapping[str, Process]
    site: str = ""
    pulled: Pulled | None = None
    hint: str | None = None  # how to bring it up to date
    entities: Mapping[str, Entity | None] | None = None  # None: unknown, as may be columns
    doubles: str | None = None  # the folder of a sandbox
    packages: tuple[str, ...] = ()  # the folders that it was read from

    def called(self, code: str, version: Json) -> Process | None:
        """What a call of `code` starts; with a number, in this version."""
        process = self.processes.get(code)
        if process is None or not isinstance(version, int) or isinstance(version, bool):
            return process
        return process.in_version(version)

    def double(self, code: str | None) -> Process | None:
        """A double, whose elements take its own parameters; those of the elements of a site are in no catalogue."""
        return self.processes.get(code or "") if self.doubles is not None else None

    def family_of(self, code: str) -> tuple[Process, ProcessVersion] | None:
        """The process that `code` is a version of, though callers do not name it so."""
        for process in self.processes.values():
            for member in process.members:
                if member.code == code != process.code:
                    return process, member
        return None


def unchecked(sites: Sequence[str], targets_file: str | None) -> str:
    """That jobs were not checked against these sites, which have no catalogue."""
    have = f"{joined_by_and(sites)} {'has' if len(sites) == 1 else 'have'} no catalogue"
    option = "" if targets_file is None else f" --targets {shell_word(targets_file)}"
    pull = f"`runner catalog pull -t {sites[0]}{option}` fetches what the site has"
    return f"names of processes and parameters were not checked: {have}; {pull}"
