"""Where the targets file of a job is."""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CREATIO_RUNNER_TARGETS"
NAME = "targets.yaml"


def find_targets(job_file: Path, *, explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The targets file for a job: `explicit`, else the one the environment names, else `targets.yaml` beside the job
    or in a folder above it, up to the project's root. None where there is none.

    A file that was named is returned whether it exists or not: whoever reads it tells. The project's root is the
    nearest folder that holds `.git`; without one nothing above the job's own folder is looked at.
    """
    if explicit is not None:
        return explicit
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    folders = up_to_the_root(job_file.parent)
    return next((folder / NAME for folder in folders if (folder / NAME).is_file()), None)


def up_to_the_root(folder: Path) -> list[Path]:
    """`folder` as it was named, and those above it in the same project."""
    above = [folder, *folder.resolve().parents]
    for index, candidate in enumerate(above):
        if (candidate / ".git").exists():
            return above[: index + 1]
    return [folder]
