"""Where the targets file of a job is."""

import stat
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CREATIO_RUNNER_TARGETS"
NAME = "targets.yaml"


def find_targets(job_file: Path, *, explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The targets file for a job: `explicit`, else the one the environment names, else `targets.yaml` beside the job
    or in a folder above it. None where there is none.

    A file that was named is returned whether it exists or not: whoever reads it tells.
    """
    if explicit is not None:
        return explicit
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    folders = searched_folders(job_file.parent)
    return next((folder / NAME for folder in folders if (folder / NAME).is_file()), None)


def searched_folders(folder: Path) -> list[Path]:
    """`folder` as it was named, and those above it: up to the root of the project, which is the nearest that holds
    `.git`, else to the home directory, else to the root of the file system.

    A folder above in which everybody may put files, such as `/tmp`, is passed over: whoever can name an address there
    would be sent our credentials.
    """
    home, found = _home(), [folder]
    for above in (folder.resolve(), *folder.resolve().parents):
        if above != folder.resolve() and not _is_everybodys(above):
            found.append(above)
        if above == home or (above / ".git").exists():
            break
    return found


def searched(folder: Path) -> str:
    """The sentence on where a targets file was looked for, and is not."""
    folders = searched_folders(folder)
    last = f" and above it up to `{folders[-1]}`" if len(folders) > 1 else ""
    return f"there is no {NAME} in `{folder.resolve()}`{last}"


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except RuntimeError:
        return None


def _is_everybodys(folder: Path) -> bool:
    try:
        mode = folder.stat().st_mode
    except OSError:
        return True
    return bool(mode & stat.S_ISVTX and mode & stat.S_IWOTH)
