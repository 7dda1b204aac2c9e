"""The folder of kept runs: made private, listed, searched; and the names of what a run's own folder holds.

Writing into a run's folder is the journal's business.
"""

import hashlib
from pathlib import Path

from runner.foundation.private_files import ensure_folder
from runner.foundation.problems import Problem, UsageError

DEFAULT = Path(".runner/runs")
EVENTS = "events.jsonl"
PLAN = "plan.json"
REPORT = "report.json"
JUNIT = "junit.xml"
RESULTS = "results"
LAST = "last"
_SANDBOXES = ".sandboxes"
_PLANS = ".plans"
_OWNED_ROWS = ".rows.sqlite"


def prepare(root: Path) -> None:
    """Make the folder of runs, private and out of git's sight. Raises `UsageError` where it cannot be made."""
    top = _top(root)
    try:
        for folder in dict.fromkeys((top, root)):
            ensure_folder(folder)
        ignored = top / ".gitignore"
        if not ignored.exists():
            ignored.write_text("# Runs hold what a site answered; they are not for git.\n*\n")
    except OSError as error:
        raise unwritable(root, error.strerror or str(error)) from error


def _top(root: Path) -> Path:
    return root.parent if root == DEFAULT else root


def plan_file(root: Path, key: str) -> Path:
    """Where it stands which runs came of the kept plan with this key. The key is somebody's text, and no name."""
    return _top(root) / _PLANS / hashlib.sha256(key.encode()).hexdigest()


def owned_rows_file(root: Path) -> Path:
    """Where the runs of a folder write down which rows of process logs are theirs. It outlives the runs."""
    return _top(root) / _OWNED_ROWS


def sandbox_file(root: Path, port: int) -> Path:
    """Where a sandbox that was served on `port` keeps what happened in it."""
    return _top(root) / _SANDBOXES / f"{port}.sqlite"


def sandbox_files(root: Path) -> list[Path]:
    """What sandboxes have left, of runs that are not settled."""
    return sorted((_top(root) / _SANDBOXES).glob("*.sqlite*"))


def unwritable(root: Path, why: str) -> UsageError:
    """The runs folder refuses; nothing was sent."""
    hint = "choose another folder with `--runs DIR`"
    return UsageError(Problem(code="E151", message=f"the runs folder {root} cannot be written: {why}", hint=hint))


def folders(root: Path) -> list[Path]:
    """The folders of runs, the oldest first: a run's id sorts by time. None where there is no such folder."""
    try:
        return sorted(folder for folder in root.iterdir() if (folder / EVENTS).is_file())
    except OSError:
        return []


def find(root: Path, name: str) -> Path:
    """The folder of the run called `name`: `last`, its id, or a unique beginning of it. Raises `UsageError`."""
    known = folders(root)
    if not known:
        raise _unknown(f"there is no run in {root}", "`runner run SPEC` makes one; `--runs DIR` looks elsewhere")
    if name == LAST:
        return known[-1]
    found = [folder for folder in known if folder.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise _unknown(f"{len(found)} runs begin with `{name}`", "give more of the id")
    raise _unknown(f"no run in {root} begins with `{name}`", "`runner runs` lists them; `last` is the newest")


def _unknown(message: str, hint: str) -> UsageError:
    return UsageError(Problem(code="E152", message=message, hint=hint))
