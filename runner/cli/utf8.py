"""Words of the command line and variables of ours that are not UTF-8: refused before anything else is done.

They could not be written into a journal, sent to a site, or shown to anybody as they are.
"""

from collections.abc import Iterable, Iterator, Mapping

from runner.cli.env_options import PREFIX
from runner.foundation.problems import Problem, UsageError
from runner.foundation.values import is_well_formed
from runner.reports.safe import clean


def check(arguments: Iterable[str], environment: Mapping[str, str]) -> None:
    """Raise `UsageError` with all that is wrong."""
    problems = (*_of_arguments(arguments), *_of_variables(environment))
    if problems:
        raise UsageError(*problems)


def _of_arguments(arguments: Iterable[str]) -> Iterator[Problem]:
    for word in arguments:
        if not is_well_formed(word):
            hint = "rename the file, or write the value in UTF-8"
            yield Problem(code="E159", message=f"`{clean(word)}` on the command line is not UTF-8", hint=hint)


def _of_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """The value may be a secret: it is not shown."""
    for name, value in environment.items():
        if name.startswith(PREFIX) and not (is_well_formed(name) and is_well_formed(value)):
            message = f"the variable `{clean(name)}` of the environment is not UTF-8"
            yield Problem(code="E159", message=message, hint="set it to a text in UTF-8")
