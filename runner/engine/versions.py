"""The versions of a process: a row of the log has the id of the version that ran.

A process may get a version while a run is under way, so versions are read again before a missing row counts. Where they
cannot be read, rows are found by the code; a missing row proves less then, and no call is repeated.
"""

from msgspec import Struct, convert
from msgspec.structs import replace

from runner.foundation.values import Json, items, record, text
from runner.service.calls import SESSION_REFUSED, CallFailed, FailureKind

AGAIN = 60.0  # seconds after which a reading of versions that was not answered is tried again, where a call needs it
REFUSED_AGAIN = 5.0
"""Seconds after which what was refused is asked for again: a gateway or a restart refuses for a moment, too."""
_NOT_LISTED = "the site lists no process of this code: check its spelling, with capital letters"
CHECK_CODE = "check the process's code, with capital letters; its caption is no code"
NEVER = float("inf")


class KnownVersion(Struct, frozen=True, kw_only=True):
    """`uid` is the id of its design, `schema_id` the id in rows of the log."""

    code: str
    uid: str | None
    schema_id: str
    version: int | None
    active: bool | None


class Versions(Struct, frozen=True, kw_only=True):
    """All versions of `process`."""

    process: str
    read_at: float  # in active seconds
    root: str | None = None
    codes: tuple[str, ...]  # by which a call may name the process, its own first
    members: tuple[KnownVersion, ...] = ()
    grown_at: float | None = None  # when a version was found that the log was not asked for
    unread: str | None = None  # why the last reading failed
    unknown: bool = False  # the library was read, and lists nothing of this code
    due: float = NEVER  # when they are read again
    final: bool = False  # they are not read again in this run

    @property
    def schema_ids(self) -> tuple[str, ...]:
        return tuple(member.schema_id for member in self.members)

    @property
    def numbers(self) -> str:
        """The numbers of the versions, for a sentence."""
        known = [
            (each.version, " (active)" if each.active else "") for each in self.members if each.version is not None
        ]
        return ", ".join(f"{number}{active}" for number, active in sorted(known)) or "not numbered"

    def other_than(self, checked: str) -> str | None:
        """The code of the active version, where that is known and another than the version `checked`."""
        active = [member.code for member in self.members if member.active]
        return active[0] if len(active) == 1 and active[0] != checked else None

    def numbered(self, number: int) -> list[KnownVersion]:
        """Several where versions are in several packages: each package counts its own."""
        return [member for member in self.members if member.version == number]

    @property
    def why_unknown(self) -> str | None:
        return f"the site lists no process `{self.process}`" if self.unknown else None

    @property
    def why_unread(self) -> str | None:
        return None if self.unread is None else f"the versions of `{self.process}` could not be read: {self.unread}"

    def not_read(self, failure: CallFailed, *, t: float) -> "Versions":
        """The versions could not be read just now; those that are known stay."""
        is_refused = failure.kind is FailureKind.REFUSED or failure.trouble.code == SESSION_REFUSED
        due = t + (REFUSED_AGAIN if is_refused else AGAIN)
        return replace(self, read_at=t, unread=failure.trouble.message, due=due)

    def not_listed(self, *, t: float, unknown: bool = False) -> "Versions":
        return replace(self, read_at=t, root=None, unread=_NOT_LISTED, unknown=unknown, due=NEVER)

    def unusable(self, failure: CallFailed) -> "Versions":
        """The versions, where the log refuses to be asked for their rows."""
        why = f"the process log cannot be filtered by them: {failure.trouble.message}"
        return replace(self, members=(), codes=(self.process,), unread=why, due=NEVER, final=True)

    def read(self, found: Json, *, root: str, t: float, marked: bool) -> "Versions":
        """The versions as the library lists them now, perhaps without the root. `marked`: the log was read before."""
        rows = [row for row in items(found) if text(record(row), "code") and text(record(row), "schema_id")]
        members = tuple(convert(row, KnownVersion) for row in rows)
        if not any(member.code == self.process or member.active for member in members):
            return self.not_listed(t=t)
        is_grown = marked and not {each.schema_id for each in members} <= set(self.schema_ids)
        grown_at = t if is_grown else self.grown_at
        codes = tuple(dict.fromkeys((self.process, *(member.code for member in members))))
        return Versions(process=self.process, read_at=t, root=root, codes=codes, members=members, grown_at=grown_at)
