"""Files for everybody that are whole, or as they were before: a full disk leaves no half."""

import errno
import os
import shutil
from pathlib import Path


def write_text(path: Path, text: str, *, new: bool = False) -> None:
    """Write `path`. Raises `OSError`, with `new` also where it is there already."""
    if new and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if path.exists() and not path.is_file():  # a pipe
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    file = Path(os.path.realpath(path))  # a link stays a link; unlike `resolve`, it takes a circle of links
    beside = file.with_name(f"{file.name}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        if file.exists():
            shutil.copymode(file, beside)
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
