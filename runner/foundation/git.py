"""The commit of a checkout, so that a report can say from which files it came. Git is asked, not required."""

import subprocess
from pathlib import Path

_SECONDS = 5


def commit_of(folder: Path) -> str | None:
    """The full hash of HEAD where `folder` lies in a checkout; None without one, or without git."""
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return None
    try:
        asked = subprocess.run(  # noqa: S603  the arguments are ours
            ["git", "-C", str(folder), "rev-parse", "HEAD"],  # noqa: S607  git is where the user's PATH has it
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None
