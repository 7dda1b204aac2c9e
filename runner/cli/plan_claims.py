"""A kept plan is carried out once. A pipeline that a machine repeats, or a second click, would start everything twice.

In the runs folder stands which runs came of which plan. That is written before the first of them begins, and stays when
they are pruned. What another machine, or another runs folder, has done is not known here.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from runner.cli.kept import opened
from runner.cli.prepared import RunSpec
from runner.foundation.private_files import BINARY, PRIVATE_FILE, ensure_folder, sync_folder, write_all
from runner.foundation.problems import Problem, RefusedError, UsageError
from runner.reports.words import title
from runner.runs import run_folders
from runner.runs.result import RunResult

_NAMED = 3
"""Earlier runs that a message names: the newest."""


class PlanClaims:
    """The plans of one command. `again`: somebody has said that they are carried out once more."""

    def __init__(self, root: Path, prepared: Iterable[RunSpec], *, again: bool) -> None:
        keys = dict.fromkeys(one.plan_key for one in prepared if one.plan_key is not None)
        self._root = root
        self._again = again
        self._files = {key: run_folders.plan_file(root, key) for key in keys}
        self._made: list[Path] = []

    def check(self) -> None:
        """Raise `RefusedError` where one of the plans has been carried out before, as far as is known by now."""
        if not self._again:
            known = [file for file in self._files.values() if file.exists()]
            if known:
                raise RefusedError(*(_refusal(self._root, file) for file in known))

    def take(self) -> None:
        """Claim the plans, before their first run begins. Of two commands at once one is refused.

        Raises `RefusedError`, and `UsageError` where it cannot be written.
        """
        for file in self._files.values():
            try:
                ensure_folder(file.parent)
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, PRIVATE_FILE))
                self._made.append(file)
                sync_folder(file.parent)
            except FileExistsError:
                if not self._again:
                    self.give_back()
                    raise RefusedError(_refusal(self._root, file)) from None
            except OSError as error:
                self.give_back()
                raise run_folders.unwritable(self._root, error.strerror or str(error)) from error

    def note(self, prepared: RunSpec, run: str) -> None:
        """Write down that `run` comes of its plan. To be called before anything of it is sent."""
        if prepared.plan_key is None:
            return
        file = os.open(self._files[prepared.plan_key], os.O_WRONLY | os.O_APPEND | BINARY)
        try:
            write_all(file, f"{run}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)

    def give_back(self) -> None:
        """Forget the claims of this command of which no run began."""
        for file in self._made:
            if file.stat().st_size == 0:
                file.unlink()


def _refusal(root: Path, file: Path) -> Problem:
    names = file.read_text(encoding="utf-8").split()
    shown = [_told(root, name) for name in names[-_NAMED:]]
    more = f"{len(names) - _NAMED} more, " if len(names) > _NAMED else ""
    by = f"{more}{'; '.join(shown)}" if shown else "no run of it is known; another command may be about to begin"
    hint = "nothing was sent; `--again` carries it out once more, and starts everything in it again"
    resumed = next((name for name in reversed(names) if _is_open(root, name)), None)
    if resumed is not None:
        hint = f"`runner resume {resumed}` goes on with the one that has not ended; {hint}"
    return Problem(code="E165", message=f"this plan has been carried out before: {by}", hint=hint)


def _told(root: Path, name: str) -> str:
    result = _result(root, name)
    if result is None:
        return f"run {name}, which is not kept any more"
    return f"run {name} of {title(result)}, {result.status if result.finished else 'which has not come to its end'}"


def _is_open(root: Path, name: str) -> bool:
    result = _result(root, name)
    return result is not None and not result.finished


def _result(root: Path, name: str) -> RunResult | None:
    try:
        return opened(root / name).result if (root / name / run_folders.EVENTS).is_file() else None
    except UsageError:
        return None
