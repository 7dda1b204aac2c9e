"""Where the targets file of a job is, and the folder of doubles that it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runner.foundation.problems import Problem
from runner.foundation.suggestions import suggest
from runner.reading.load import Document, read
from runner.targets.folders import holds_doubles, is_everybodys, searched_folders
from runner.targets.hidden import without_secrets
from runner.targets.model import SandboxTarget

VARIABLE = "CREATIO_RUNNER_TARGETS"
NAME = "targets.yaml"
BEGIN: Final = "begin a project with `runner init FOLDER`, which writes targets.yaml, a sandbox and a job"
_NO_FOLDER: Final = "name the folder of the doubles in targets.yaml; without that file it is `sandbox`, beside the job"


def find_targets(job_file: Path, *, explicit: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The targets file of a job: `explicit`, else the environment's, else `targets.yaml` beside or above it, if any."""
    if explicit is not None:
        return explicit
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    return next((path for path in places_of_targets(job_file) if path.is_file()), None)


def places_of_targets(job_file: Path) -> list[Path]:
    """Where the targets file of a job is searched, the nearest place first."""
    return [folder / NAME for folder in searched_folders(job_file.parent)]


def searched(folder: Path) -> str:
    """The sentence on where a targets file was searched, and is not."""
    folders = searched_folders(folder)
    last = f" and above it up to `{folders[-1]}`" if len(folders) > 1 else ""
    unread = next((above / NAME for above in folder.resolve().parents if (above / NAME).is_file()), None)
    why = "which is not read, as everybody may write into its folder: name it with `--targets`"
    passed = f"; there is `{unread}`, {why}" if unread is not None and is_everybodys(unread.parent) else ""
    return f"there is no {NAME} in `{folder.resolve()}`{last}{passed}"


def missing_folder(target: SandboxTarget) -> Problem:
    """Why the doubles of this target cannot be read: its folder is not there."""
    message = f"target `{target.name}`: there is no folder `{target.folder}`"
    if target.folder.is_file():
        message = f"target `{target.name}`: `{target.folder}` is a file, and doubles are in a folder"
    document = None if target.written_in is None else read(Path(target.written_in), name=target.written_in)
    if not isinstance(document, Document):
        return Problem(code="E100", message=message, hint=_NO_FOLDER)
    problem = document.problem("E100", message, path=("targets", target.name, "sandbox"), hint=_folder_hint(target))
    return without_secrets([problem], document)[0]


def _folder_hint(target: SandboxTarget) -> str:
    """The folder beside it that holds doubles and is called nearly so, or that is the only folder."""
    beside, folder = Path(target.written_in or "").parent, target.folder
    if folder.is_file():
        return f"write the folder, `sandbox: {_from(beside, folder.parent)}`"
    for around in dict.fromkeys((folder.parent, beside)):
        held = [path.name for path in sorted(around.glob("*")) if holds_doubles(path)]
        near = folder.name if folder.name in held else suggest(folder.name, held)
        if near or len(held) == 1:
            return f"did you mean `{_from(beside, around / (near or held[0]))}`?"
    return "it is relative to the targets file"


def _from(beside: Path, folder: Path) -> str:
    """`folder` as the targets file in `beside` names it."""
    return str(folder.relative_to(beside)) if folder.is_relative_to(beside) else str(folder)
