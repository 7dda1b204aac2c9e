"""The files of doubles in the folder of a sandbox, and new files beside them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from runner.catalogue.doubles import NewDouble
from runner.foundation import whole_files
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import record, text
from runner.project.paths import refused_by_system
from runner.reading.document import Document
from runner.reading.files import display_path
from runner.reading.load import read
from runner.targets import folders

_FIT_FOR_A_FILE: Final = lazy_pattern(r"\w[\w.-]{0,199}")


def doubles_by_code(folder: Path) -> Mapping[str, Path]:
    """The codes that have a double, also with mistakes. Raises `UsageError` for a folder that cannot be read."""
    return dict(_doubles_in(folder)) if folder.exists() else {}


def _doubles_in(folder: Path) -> Iterator[tuple[str, Path]]:
    with refused_by_system(f"the folder `{display_path(folder)}` cannot be read", code="E100"):
        files = folders.doubles_in(folder)
    for file in files:
        document = read(file, name=display_path(file))
        code = text(record(document.data), "process") if isinstance(document, Document) else None
        if code is not None:
            yield code, file


def double_file(double: NewDouble, folder: Path) -> Path | None:
    """The file of a new double; None where its code cannot be the name of a file."""
    return folder / f"{double.code}{folders.ENDING}" if _FIT_FOR_A_FILE.fullmatch(double.code) else None


def create(path: Path, content: str) -> None:
    """Write a new file. Raises `UsageError` where it cannot be written, or has come in the meantime."""
    with refused_by_system(f"{display_path(path)} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write_text(path, content, new=True)
