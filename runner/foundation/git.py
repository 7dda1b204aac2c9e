"""The checkout in which a job lies, so that a report can say from which files it came. Git is asked, not required."""

import subprocess
from pathlib import Path

from msgspec import Struct

_SECONDS = 5
_HASH = "# branch.oid "


class Checkout(Struct, frozen=True, kw_only=True):
    """`commit` is the full hash of HEAD; `dirty`: files that it holds were changed. None is not known."""

    commit: str | None = None
    dirty: bool | None = None


def checkout_of(folder: Path) -> Checkout:
    """What git knows of `folder`; nothing where it lies in no checkout, or there is no git."""
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return Checkout()
    status = ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        asked = subprocess.run(  # noqa: S603  the arguments are ours
            ["git", "-C", str(folder), "--no-optional-locks", *status],  # noqa: S607  git is where the user's PATH has it
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return Checkout()
    lines = asked.stdout.splitlines()
    commit = next((line.removeprefix(_HASH) for line in lines if line.startswith(_HASH)), None)
    if asked.returncode != 0 or commit is None or commit == "(initial)":
        return Checkout()
    return Checkout(commit=commit, dirty=any(not line.startswith("#") for line in lines))
