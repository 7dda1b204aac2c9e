"""Which processes in packages refer to others: a design that holds the id of another's refers to it.

How a design names what it calls differs by element and version [?], so its whole text is searched: who refers to a
process in any other way is taken for a caller, too.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from runner.foundation.values import JsonObject
from runner.packages.reading import Packages


def with_callers(packages: Packages, folders: Collection[Path], *, gone: Sequence[JsonObject]) -> frozenset[str]:
    """The codes of the processes in `folders`, and of those that refer to them, or to a design that is gone."""
    ids: dict[str, set[str]] = {}
    designs: dict[str, str] = {}
    found: set[str] = set()
    for family, schemas in packages.families:
        code = family.root.code
        ids[code] = {schema.version.uid.lower() for schema in schemas if schema.version.uid}
        designs[code] = "".join(_lower_text(schema.file) for schema in schemas)
        if any(Path(os.path.realpath(schema.file.parent)) in folders for schema in schemas):
            found.add(code)
    waiting = [ids[code] for code in found] + [{str(each.get("UId")).lower()} for each in gone]
    while waiting:
        wanted = waiting.pop()
        callers = {
            code for code, design in designs.items() if code not in found and any(uid in design for uid in wanted)
        }
        found |= callers
        waiting += [ids[code] for code in callers]
    return frozenset(found | {str(each.get("Name")) for each in gone})


def _lower_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return ""
