"""Jobs that others need and that no file has: the ledger of their project may know them, as `apply` finds then."""

from contextlib import closing, suppress
from pathlib import Path

from runner.ledger.file import LedgerFile
from runner.ledger.model import USUAL, LedgerError
from runner.ledger.place import project_of
from runner.project.project import Project


def forgive_applied(project: Project) -> None:
    """Remove problems about needed jobs that were applied: `apply` waits for them."""
    ledger = project_of(Path(file.document.file) for file in project.files) / USUAL
    applied: set[str] = set()
    with suppress(LedgerError), closing(LedgerFile(ledger)) as stored:
        applied = {entry.version.job for entry in stored.newest_with(None)}
    forgiven = {missing.problem for missing in project.missing_needs if missing.need in applied}
    project.problems[:] = [problem for problem in project.problems if problem not in forgiven]
