"""The folders in which files of a project are searched, and those of a sandbox, which reads them by these names."""

import stat
from pathlib import Path
from typing import Final

from runner.reading.files import is_included

ENDING: Final = ".process.yaml"
DOUBLES: Final = f"*{ENDING}"
RECORDS: Final = "records.yaml"


def holds_doubles(folder: Path) -> bool:
    return any(map(is_included, folder.glob(DOUBLES)))


def doubles_in(folder: Path) -> list[Path]:
    """The files of the doubles. Raises `OSError` where the folder cannot be read."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(ENDING) and is_included(path))


def searched_folders(folder: Path) -> list[Path]:
    """`folder` and those above it, up to the nearest `.git`, else the home or root, but for folders where all may
    write, as `/tmp`: its addresses would get our credentials.
    """
    home, found, here = _home(), [folder], folder.resolve()
    for above in (here, *here.parents):
        if above != here and not is_everybodys(above):
            found.append(above)
        if above == home or (above / ".git").exists():
            break
    return found


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:
        return None


def is_everybodys(folder: Path) -> bool:
    try:
        mode = folder.stat().st_mode
    except OSError:
        return True
    return bool(mode & stat.S_ISVTX and mode & stat.S_IWOTH)
