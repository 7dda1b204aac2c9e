"""What was probably mistyped on the command line or in the environment, where the command can be carried out all the
same: warnings, each with the word that is near. What is near to nothing may be meant for other jobs, and is let be.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from runner.cli.env_options import typo_of
from runner.cli.selection import words_of
from runner.cli.targets import is_outside
from runner.foundation.problems import Problem, Severity
from runner.foundation.suggestions import likely_typo, suggest
from runner.job.inputs import VARIABLE
from runner.job.model import Job
from runner.reports.safe import clean


def in_tags(written: str | None, jobs: Collection[Job]) -> Iterator[Problem]:
    """Words of `--tags` that no job has as a tag."""
    tags = {tag for job in jobs for tag in job.tags}
    for word in words_of(written) if written is not None else ():
        near = likely_typo(word, tags) if word not in tags else None
        if near is not None:
            yield _warning(f"no job has the tag `{clean(word)}` of `--tags`", near=near)


def in_confirmed(names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """Names of `--confirm` that are no targets."""
    for name in names:
        if name not in known and not is_outside(name):
            yield _warning(f"`--confirm {clean(name)}` confirms nothing: no such target", near=suggest(name, known))


def in_variables(environment: Mapping[str, str], jobs: Iterable[Job]) -> Iterator[Problem]:
    """Variables for inputs that no job knows, near to one that is not set."""
    known = {declared.name.upper() for job in jobs for declared in job.inputs}
    given = {name.removeprefix(VARIABLE) for name in environment if name.startswith(VARIABLE)}
    for name in sorted(given - known):
        near = typo_of(name, known - given)
        if near is not None and near != f"{name}S":  # one and several of a thing are inputs of different jobs
            yield _warning(f"no job knows an input for `{VARIABLE}{clean(name)}`", near=VARIABLE + near)


def _warning(message: str, *, near: str | None) -> Problem:
    hint = f"did you mean `{clean(near)}`?" if near else None
    return Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
