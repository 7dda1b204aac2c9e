"""Catalogues for a command: which target is meant, what its site has, what jobs use of it."""

import getpass
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from runner.catalogue.differences import Use
from runner.catalogue.model import Catalogue, Pulled
from runner.catalogue.pulling import NoAnswerError, pull
from runner.cli import output
from runner.cli.known_targets import KnownTarget, named, only, targets_of
from runner.foundation.problems import Problem, Severity, UsageError, are_errors
from runner.lint.uses import uses
from runner.project.job_files import JobFiles
from runner.project.paths import called, job_paths
from runner.project.project import Project
from runner.project.sites import Sites
from runner.reading.document import Document
from runner.reports import mistakes
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget

_MOST_LISTED = 5
_MOST_TOLD = 10
_NOT_CHECKED = "it is kept as unknown, and nothing is held against it"


def chosen(name: str | None, specs: Sequence[Path], targets: Path | None) -> KnownTarget:
    """The target that is named, or the only one there is. Raises `UsageError`."""
    project = Project()
    known = targets_of(specs, targets, project)
    return named(name or only(known)[0], known, project)


def used_by(specs: Sequence[Path]) -> tuple[Use, ...]:
    """What the jobs in `specs` use, whatever the old catalogue says of them. Raises `UsageError` for their mistakes."""
    problems: list[Problem] = []
    files = JobFiles(called=called, problems=problems)
    documents: dict[str, Document] = {}
    for path in job_paths(specs):
        opened = files.open(path)
        documents |= opened.documents if opened is not None else {}
    if are_errors(problems):
        raise UsageError(*problems)
    return uses(documents.values())


def ask(known: KnownTarget, sites: Sites) -> Catalogue | None:
    """What a site has. What it answered and nobody could read is told as warnings; None, and told, where it did not
    answer.
    """
    target, secrets = known.target, Secrets()
    ready = sites.of(target)
    ready.hide_in(secrets)
    try:
        found = pull(ready.client, listed=lambda number: _tell_number(number, target.name), wait=time.sleep)
    except NoAnswerError as error:
        trouble = error.trouble
        hint = trouble.hint and secrets.mask(trouble.hint)
        _tell([Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=hint)])
        return None
    report_odd(found.odd, mask=secrets.mask)
    site = f"the sandbox {target.folder.name}" if isinstance(target, SandboxTarget) else ready.name.url
    return Catalogue(name=f"target `{target.name}`", processes=found.processes, site=site, pulled=stamp())


def _tell_number(number: int, name: str) -> None:
    output.say(f"reading {_many(number, 'process', 'processes')} of target `{name}`")


def stamp() -> Pulled:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        user = "unknown"
    return Pulled(at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), by=user)


def report_odd(odd: Sequence[tuple[str, str]], *, mask: Callable[[str], str]) -> None:
    """Print what a source says of processes and nobody can read."""
    _tell(list(_odd(odd, mask)))


def _odd(odd: Sequence[tuple[str, str]], mask: Callable[[str], str]) -> Iterator[Problem]:
    """A warning for each odd answer, with the processes that it was given for; of very many the first."""
    codes: dict[str, dict[str, None]] = {}
    for code, sentence in odd:
        codes.setdefault(mask(sentence), {})[f"`{code}`"] = None
    for sentence, given in islice(codes.items(), _MOST_TOLD):
        listed = [*given]
        more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
        yield _warning(f"{', '.join(listed[:_MOST_LISTED])}{more}: {sentence}")
    if len(codes) > _MOST_TOLD:
        processes = {code for code, _ in odd}
        among = f"in {_many(len(processes), 'process', 'processes')} altogether"
        yield _warning(f"{_many(len(codes) - _MOST_TOLD, 'more thing')} could not be read, {among}")


def _warning(message: str) -> Problem:
    return Problem(code="E178", message=message, hint=_NOT_CHECKED, severity=Severity.WARNING)


def _tell(problems: Sequence[Problem]) -> None:
    output.say_lines(mistakes.text(problems))


def _many(number: int, word: str, words: str | None = None) -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"
