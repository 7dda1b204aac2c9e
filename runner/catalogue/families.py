"""Versions of processes and the families that they form: which of them acts, and whether it can be started.

Each version is a schema of its own [C]. Callers name the root, the engine runs the active member.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from runner.catalogue.model import Parameter, Process, ProcessElement, ProcessVersion


class DesignVersion(Struct, frozen=True, kw_only=True):
    """A version. `parent` is the id of the root's design, None for a root. What is not known is None."""

    code: str
    uid: str | None = None
    parent: str | None = None
    caption: str = ""
    number: int | None = None
    active: bool | None = None
    enabled: bool | None = None
    traced: bool | None = None
    has_start: bool | None = None


class ProcessFamily(Struct, frozen=True, kw_only=True):
    """`acting` is the version whose signature counts: the active version, else the last."""

    root: DesignVersion
    acting: DesignVersion
    versions: tuple[DesignVersion, ...]


def families(versions: Iterable[DesignVersion]) -> dict[str, ProcessFamily]:
    """The families by the codes of their roots, in this order."""
    listed = list(versions)
    by_uid = {version.uid: version for version in listed if version.uid is not None}
    groups: dict[str, list[DesignVersion]] = {}
    for version in listed:
        groups.setdefault(_root_id(version, by_uid), []).append(version)
    # A library without parents has several rows of the same name.
    by_code: dict[str, tuple[DesignVersion, list[DesignVersion]]] = {}
    for key, group in groups.items():
        root = _root(key, group)
        by_code.setdefault(root.code, (root, []))[1].extend(group)
    return {code: _family(*by_code[code]) for code in sorted(by_code)}


def process_of(
    family: ProcessFamily,
    *,
    parameters: Mapping[str, Parameter] | None,
    elements: tuple[ProcessElement, ...] | None,
    unread: str | None,
) -> Process:
    """The process that callers see: the root's code, and the signature of the version that acts."""
    return Process(
        code=family.root.code,
        caption=family.acting.caption or family.root.caption,
        version=family.acting.number,
        traced=family.acting.traced,
        why_not=why_not(family),
        members=_members(family),
        parameters=parameters,
        elements=elements,
        unread=unread,
    )


def why_not(family: ProcessFamily) -> str | None:
    """Why no call starts it: some version must be active and enabled, and have a plain start [C]."""
    if any(_why_not(version) is None for version in family.versions):
        return None
    return _why_not(family.acting)


def _why_not(version: DesignVersion) -> str | None:
    """What is not known counts as so."""
    if version.enabled is False:
        return "it is disabled"
    if version.active is False:
        return "none of its versions is active"
    return "it has no plain start event" if version.has_start is False else None


def _root_id(version: DesignVersion, by_uid: Mapping[str, DesignVersion]) -> str:
    """The id of the root's design; where nothing has an id, the code."""
    key, parent = version.uid, version.parent
    seen: set[str] = set()
    while parent is not None and parent != key and parent not in seen:
        seen.add(parent)
        key = parent
        parent = by_uid[parent].parent if parent in by_uid else None
    return key or version.code


def _root(key: str, group: Sequence[DesignVersion]) -> DesignVersion:
    """Where the root itself cannot be seen, the earliest version takes its place."""
    own = next((version for version in group if version.uid == key), None)
    return own or min(group, key=lambda version: (version.number or 0, version.code))


def _family(root: DesignVersion, versions: Sequence[DesignVersion]) -> ProcessFamily:
    """The family, with the version that acts.

    Of active versions it is a version that can be started, then that with the highest number, then the last.
    """
    ranked = sorted(versions, key=lambda each: (each.active is True, _why_not(each) is None, each.number or 0))
    in_order = sorted(versions, key=lambda each: (each.number or 0, each is not root, each.code))
    return ProcessFamily(root=root, acting=ranked[-1], versions=tuple(in_order))


def _members(family: ProcessFamily) -> tuple[ProcessVersion, ...]:
    """The versions of a process, if it has any beside the root."""
    by_code = {
        each.code: ProcessVersion(
            code=each.code, uid=each.uid, version=each.number, active=each.active, enabled=each.enabled
        )
        for each in sorted(family.versions, key=lambda version: version is family.acting)
    }
    if len(by_code) == 1:
        return ()
    return tuple(by_code[code] for code in dict.fromkeys(version.code for version in family.versions))
