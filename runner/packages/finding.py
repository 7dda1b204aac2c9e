"""The folders of schemas below folders of packages: `<package>/Schemas/<Name>/descriptor.json`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

SCHEMAS: Final = "Schemas"
DESCRIPTOR: Final = "descriptor.json"
_NEVER: Final = frozenset({"node_modules", "bin", "obj"})


def schema_folders(folders: Sequence[Path]) -> Iterator[Path | OSError]:
    """Each folder of a schema below `folders`, once, in order, and what cannot be read."""
    seen: set[tuple[int, int]] = set()
    # `.` by its own name; `resolve` would follow links, too
    waiting = [Path(os.path.abspath(folder)) for folder in reversed(folders)]  # noqa: PTH100
    while waiting:
        here = waiting.pop()
        try:
            if not _is_new(here, seen):
                continue
            if (here / DESCRIPTOR).is_file() and here.parent.name == SCHEMAS:
                yield here
                continue
            inner = _folders_in(here)
        except OSError as error:
            yield error
            continue
        schemas = [path for path in inner if path.name == SCHEMAS]
        waiting.extend(reversed(schemas or inner))


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    found = folder.stat()
    key = (found.st_dev, found.st_ino)
    is_new = key not in seen
    seen.add(key)
    return is_new


def _folders_in(folder: Path) -> list[Path]:
    """Those that are visible; of a folder that a link leads to the name is that of the link."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return [folder / name for name in sorted(names) if name not in _NEVER]
