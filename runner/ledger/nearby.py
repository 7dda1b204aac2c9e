"""Where runs are beside the current folder: above it, as beside a ledger, and a little below. `last` must see them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from runner.ledger.model import USUAL
from runner.reading.files import called
from runner.runs import USUAL as USUAL_RUNS
from runner.targets.folders import searched_folders

_DEEPEST: Final = 2  # levels of folders below the current folder that are searched


def run_folders() -> list[str]:
    """Other folders of runs; none of somebody else, who could choose what is resumed."""
    folders = [*searched_folders(Path.cwd())[1:], *_below(Path.cwd(), levels=_DEEPEST)]
    return [called(folder / USUAL_RUNS) for folder in dict.fromkeys(folders) if _is_ours(folder / USUAL_RUNS)]


def is_beside_ledger(runs: str) -> bool:
    """Whether `apply` stores its runs in this folder, from wherever it is given."""
    return (Path(runs).parent / Path(USUAL).name).exists()


def ledgers_above(folder: Path) -> Iterator[Path]:
    """The ledgers of this user above a resolved folder, the nearest first, also above that of `.git`."""
    return (above / USUAL for above in folder.parents if _is_ours(above / USUAL))


def _below(folder: Path, *, levels: int) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield Path(entry)
                if levels > 1:
                    yield from _below(Path(entry), levels=levels - 1)


def _is_ours(path: Path) -> bool:
    try:
        owner = path.stat().st_uid
    except OSError:
        return False
    return not hasattr(os, "getuid") or owner == os.getuid()
