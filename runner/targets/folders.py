"""The folder of a sandbox: how its files are called, and where none is, which was meant."""

from pathlib import Path
from typing import Final

from runner.foundation.problems import Problem
from runner.foundation.suggestions import suggest
from runner.reading.files import is_meant
from runner.reading.load import Document, read
from runner.targets.hidden import without_secrets
from runner.targets.model import SandboxTarget

ENDING: Final = ".process.yaml"
DOUBLES: Final = f"*{ENDING}"
RECORDS: Final = "records.yaml"
_NO_FOLDER: Final = "targets.yaml names the folder of the doubles; without that file it is `sandbox`, beside the job"


def holds_doubles(folder: Path) -> bool:
    return any(map(is_meant, folder.glob(DOUBLES)))


def doubles_in(folder: Path) -> list[Path]:
    """The files of the doubles. Raises `OSError` where the folder cannot be read."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(ENDING) and is_meant(path))


def missing_folder(target: SandboxTarget) -> Problem:
    """Why the doubles of this target cannot be read: where its folder should be there is none."""
    message = f"target `{target.name}`: there is no folder `{target.folder}`"
    if target.folder.is_file():
        message = f"target `{target.name}`: `{target.folder}` is a file, and its doubles stand in a folder"
    document = None if target.written_in is None else read(Path(target.written_in), name=target.written_in)
    if not isinstance(document, Document):
        return Problem(code="E100", message=message, hint=_NO_FOLDER)
    problem = document.problem("E100", message, path=("targets", target.name, "sandbox"), hint=_meant(target))
    return without_secrets([problem], document)[0]


def _meant(target: SandboxTarget) -> str:
    """The folder beside it that holds doubles and is called nearly so, or that is the only one."""
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
