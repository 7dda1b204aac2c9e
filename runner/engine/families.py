"""The versions of a process, as far as a run knows them: each is a schema of its own, and rows of the log bear the one
that ran.

A family may get a version while a run is under way. So before the absence of a row counts for anything, the family is
read once more after the call: a start that was answered has begun in a version that was there by then. Where versions
cannot be read, rows are looked for by the code; one that is missing says less then, and no call is made again for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runner.foundation.values import Json, JsonObject
from runner.service.calls import SESSION_REFUSED, CallFailed, FailureKind

AGAIN = 60.0
"""Seconds after which a reading of versions that was not answered is tried again, where a call needs it."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One version: `uid` is the id of its design, `schema_id` what rows of the log bear."""

    code: str
    uid: str | None
    schema_id: str
    version: int | None
    active: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All versions of `process`, as they were at the active second `read_at`. `due`: when they are to be read again.

    `grown_at`: when a version was found that the readings of the log before did not ask for. `unread`: why the versions
    could not be read, the last time that it was tried; `final`: it is not tried again in this run.
    """

    process: str
    read_at: float
    root: str | None = None
    members: tuple[Member, ...] = ()
    grown_at: float | None = None
    unread: str | None = None
    due: float = NEVER
    final: bool = False

    @property
    def schema_ids(self) -> tuple[str, ...]:
        return tuple(member.schema_id for member in self.members)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes by which a call may name the process, the own one first."""
        return tuple(dict.fromkeys((self.process, *(member.code for member in self.members))))

    @property
    def numbers(self) -> str:
        """Those of the versions, for a sentence."""
        told = [(one.version, " (active)" if one.active else "") for one in self.members if one.version is not None]
        return ", ".join(f"{number}{active}" for number, active in sorted(told)) or "not numbered"

    def version(self, number: int) -> Member | None:
        return next((member for member in self.members if member.version == number), None)

    @property
    def why_unread(self) -> str | None:
        return None if self.unread is None else f"the versions of `{self.process}` could not be read: {self.unread}"


def not_read(before: Family, failure: CallFailed, *, t: float) -> Family:
    """The family, whose versions could not be read just now; those that are known are kept."""
    final = failure.kind is FailureKind.REFUSED or failure.trouble.code == SESSION_REFUSED
    due = NEVER if final else t + AGAIN
    return replace(before, read_at=t, unread=failure.trouble.message, due=due, final=final)


def not_listed(before: Family, *, t: float) -> Family:
    return replace(before, read_at=t, root=None, unread="the library of processes does not list it", due=NEVER)


def unusable(before: Family, failure: CallFailed) -> Family:
    """The family whose rows the log refuses to be asked for."""
    why = f"the process log is not to be filtered by them: {failure.trouble.message}"
    return replace(before, members=(), unread=why, due=NEVER, final=True)


def read(before: Family, found: Json, *, root: str, t: float, marked: bool) -> Family:
    """The family as the library lists it now. `marked`: the log was read before with what was known of it by then."""
    members = tuple(_members(found if isinstance(found, list) else ()))
    if before.process not in {member.code for member in members}:
        return not_listed(before, t=t)
    is_grown = marked and not {one.schema_id for one in members} <= set(before.schema_ids)
    grown_at = t if is_grown else before.grown_at
    return Family(process=before.process, read_at=t, root=root, members=members, grown_at=grown_at)


def _members(found: Iterable[Json]) -> Iterable[Member]:
    for one in found:
        if not isinstance(one, dict):
            continue
        code, schema_id = one.get("code"), one.get("schema_id")
        if isinstance(code, str) and isinstance(schema_id, str):
            yield _member(one, code=code, schema_id=schema_id)


def _member(found: JsonObject, *, code: str, schema_id: str) -> Member:
    uid, version, active = found.get("uid"), found.get("version"), found.get("active")
    return Member(
        code=code,
        uid=uid if isinstance(uid, str) else None,
        schema_id=schema_id,
        version=version if isinstance(version, int) else None,
        active=active if isinstance(active, bool) else None,
    )
