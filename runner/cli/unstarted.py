"""A command that ended before its runs began still writes its reports: they hold why, as a failed entry.

An empty or an earlier report would look green in CI. The words of the command line are searched here, not its parsed
options: what is wrong may be the command line itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from runner.cli import reports
from runner.cli.hints import PREFIX
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.reports.formats import FORMATS
from runner.reports.reported import ReportedCommand

VERBS = ("run", "rerun", "resume", "reconcile")


def report_unstarted(
    arguments: Sequence[str], environment: Mapping[str, str], problems: Sequence[Problem], code: ExitCode
) -> None:
    """Write the reports that a command was asked for. A report that cannot go where it was asked for is left out: the
    problems name it, or something else must be mended first.
    """
    if not arguments or arguments[0] not in VERBS:
        return
    words = list(takewhile(lambda word: word != "--", arguments[1:]))
    wanted = dict(_places(words, environment))
    read = [path for word in words for path in _paths(word) if str(path) not in wanted.values()]
    fitting = {name: place for name, place in wanted.items() if _is_fine(name, place, wanted, read)}
    with suppress(UsageError):
        reports.publish(reports.Places(by_format=fitting), ReportedCommand(runs=(), problems=problems, exit_code=code))


def _places(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in FORMATS:
        variable = PREFIX + one.parameter.upper()
        given = [*_values(one.option, words), environment.get(variable, "")]
        if place := given[0]:
            yield one.name, place


def _values(option: str, words: Sequence[str]) -> Iterator[str]:
    """What the words give an option: `--report-json FILE` or `--report-json=FILE`."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == option:
            yield value if equals else next(iter(words[number + 1 :]), "")


def _paths(word: str) -> Iterator[Path]:
    """The file that a word may name, also as the value of an option."""
    for text in (word, word.partition("=")[2]):
        with suppress(OSError, ValueError):
            if text and (path := Path(text)).is_file():
                yield path


def _is_fine(name: str, place: str, wanted: Mapping[str, str], read: Sequence[Path]) -> bool:
    try:
        reports.check(reports.Places(by_format={name: place}), read=read)
    except (UsageError, OSError, ValueError):
        return False
    return list(wanted.values()).count(place) == 1
