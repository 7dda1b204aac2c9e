"""The files in the folder of a sandbox. The sandbox itself reads them by these names, too."""

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
