"""What a catalogue is made of, and what for: what a site or packages answered, and what jobs use of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from runner.catalogue.differences import Use
from runner.catalogue.model import Pulled
from runner.foundation.problems import Problem, Severity, UsageError, are_errors
from runner.foundation.sentences import first, many
from runner.lint.uses import uses
from runner.project.ci_run import user
from runner.project.job_files import JobFiles
from runner.project.paths import called, job_paths
from runner.project.pulling import NoAnswerError
from runner.reading.document import Document
from runner.secrets.redact import Secrets

_MOST_CODES: Final = 5
_MOST_WARNINGS: Final = 10


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


def no_answer(error: NoAnswerError, secrets: Secrets) -> Problem:
    trouble = error.trouble
    hint = trouble.hint and secrets.mask(trouble.hint)
    return Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=hint)


def stamp() -> Pulled:
    return Pulled(at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), by=user() or "unknown")


def unreadable(found: Sequence[tuple[str, str]], *, mask: Callable[[str], str]) -> list[Problem]:
    """A warning for each sentence on what could not be read, with the codes of its processes; of many the first."""
    codes: dict[str, dict[str, None]] = {}
    for code, sentence in found:
        codes.setdefault(mask(sentence), {})[f"`{code}`"] = None
    messages = []
    for sentence, given in islice(codes.items(), _MOST_WARNINGS):
        messages.append(f"{first([*given], _MOST_CODES)}: {sentence}")
    if len(codes) > _MOST_WARNINGS:
        among = many(len({code for code, _ in found}), "process", "processes")
        messages.append(f"{many(len(codes) - _MOST_WARNINGS, 'more thing')} could not be read, in {among} altogether")
    hint = "no job is checked against this: it counts as unknown"
    return [Problem(code="E178", message=message, hint=hint, severity=Severity.WARNING) for message in messages]
