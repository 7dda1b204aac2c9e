"""The inputs of a command: `-i`, then `--inputs`; the environment and defaults come later, job by job.

Required inputs that nobody has given are asked for at a terminal before anything is sent. In CI nobody is there.
"""

import errno
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from runner.cli import asking, output
from runner.foundation.problems import Problem, UsageError
from runner.foundation.values import Json, is_well_formed
from runner.job import inputs
from runner.job.inputs import VARIABLE, Given, Origin, UnfitError, fit, short
from runner.job.model import Case, Input, Job
from runner.project.paths import called
from runner.reading.encoding import LARGEST_FILE
from runner.reading.files import read_text, too_large
from runner.reading.load import read_private
from runner.reports.safe import clean

__all__ = ["Given", "asked_for", "given", "values"]


def given(options: Sequence[str], *, file: Path | None) -> dict[str, Given]:
    """What the command line gives, by name. Raises `UsageError` with every problem in it."""
    problems: list[Problem] = [*_given_twice(options)]
    found = _from_file(file, problems) if file else {}
    for option in options:
        parsed = inputs.parse_option(option, read_file=_argument, stdin=_standard_input)
        if isinstance(parsed, Problem):
            problems.append(parsed)
        else:
            found[parsed[0]] = parsed[1]
    if problems:
        raise UsageError(*problems)
    return found


def _given_twice(options: Sequence[str]) -> Iterator[Problem]:
    """Inputs that have several values: nobody knows which counts. No value is shown."""
    for name, times in Counter(option.partition("=")[0] for option in options).items():
        if name and times > 1:
            message = f"input `{short(name)}` is given {times} times, and takes one value"
            hint = "keep one; write a list as JSON: `-i NAME='[1, 2]'`; `cases` of a job make several runs"
            yield Problem(code="E150", message=message, hint=hint)


def _argument(path: str) -> str:
    """The text of a file that the command line names, which may be a pipe. Raises `OSError`, `UnicodeDecodeError`."""
    return read_text(path, streams=True)


def _standard_input() -> str:
    """Raises `OSError`, `UnicodeDecodeError`. In the locale C Python reads what is not UTF-8 without a word."""
    if sys.stdin is None:  # whoever called us has closed it
        raise OSError(errno.EBADF, "standard input is closed")
    text = sys.stdin.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise too_large()
    if not is_well_formed(text):
        raise OSError(errno.EILSEQ, "it is not UTF-8")
    return text


def _from_file(file: Path, problems: list[Problem]) -> dict[str, Given]:
    document = read_private(file, name=called(file))
    if isinstance(document, tuple):
        problems.extend(document)
        return {}
    found = {} if document.data is None else inputs.from_file(document)  # None: nothing but comments
    if isinstance(found, Problem):
        problems.append(found)
        return {}
    return found


def values(
    runs: Sequence[tuple[Job, Case | None, Mapping[str, Problem]]], known: dict[str, Given]
) -> tuple[list[dict[str, Json]], list[Problem]]:
    """The input values of each run, and every problem in them, each once.

    A run is a job, its case, and what is wrong where nobody gives an input that no case gives.
    """
    problems = list(inputs.unknown(known, [job for job, _, _ in runs]))
    made = []
    for job, case, lacking in runs:
        of_run, wrong = inputs.supplied(job, given=known, environment=os.environ, case=case, lacking=lacking)
        made.append(of_run)
        problems.extend(wrong)
    return made, list(dict.fromkeys(problems))


def asked_for(
    runs: Iterable[tuple[Job, Case | None]], known: Mapping[str, Given], environment: Mapping[str, str]
) -> dict[str, Given]:
    """The missing inputs that a person gives, by name. Nothing where there is no terminal, or in CI.

    Who gives no answer is asked for nothing more, and what is missing is reported like any problem.
    """
    found: dict[str, Given] = {}
    if environment.get("CI") or not asking.is_there():
        return found
    for declared in _missing(runs, known, environment):
        value = _answer(declared)
        if value is None:
            break
        found[declared.name] = Given(value=value, origin=Origin.TERMINAL)
    return found


def _missing(
    runs: Iterable[tuple[Job, Case | None]], known: Mapping[str, Given], environment: Mapping[str, str]
) -> Iterator[Input]:
    seen = set(known)
    for job, case in runs:
        for declared in job.inputs:
            is_given = VARIABLE + declared.name.upper() in environment or (case and declared.name in case.inputs)
            if declared.required and not is_given and declared.name not in seen:
                seen.add(declared.name)
                yield declared


def _answer(declared: Input) -> str | None:
    """A text that fits the input; None where no answer came."""
    kind = declared.schema.get("type")
    about = f" ({clean(kind)})" if isinstance(kind, str) else ""
    described = f": {clean(declared.description)}" if declared.description else ""
    while True:
        prompt = f"? input `{clean(declared.name)}`{about}{described}> "
        text = (_without_echo if declared.secret else _with_echo)(prompt)
        if not text.strip():
            output.say_lines("" if text.endswith("\n") and not declared.secret else "\n")
            return None
        value = text.removesuffix("\n").removesuffix("\r")
        try:
            fit(declared, value, is_text=True)
        except UnfitError as unfit:
            output.say_lines(f"  {clean(str(unfit.message))}\n")
        else:
            return value


def _with_echo(prompt: str) -> str:
    output.say_lines(prompt)
    return sys.stdin.readline()


if sys.platform == "win32":
    import getpass

    def _without_echo(prompt: str) -> str:
        return getpass.getpass(prompt) + "\n"

else:
    import termios

    def _without_echo(prompt: str) -> str:
        """A line that the terminal does not show, not even where it is typed as soon as the prompt is there.

        The terminal shows again what is typed, whatever happens: a signal that ends the program then and there runs
        no `finally`.
        """
        file = sys.stdin.fileno()
        before = termios.tcgetattr(file)
        earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

        def on_signal(number: int, frame: FrameType | None) -> None:
            termios.tcsetattr(file, termios.TCSADRAIN, before)
            then = earlier[signal.Signals(number)]
            if not callable(then):
                raise KeyboardInterrupt
            then(number, frame)

        caught = [number for number, then in earlier.items() if then is not signal.SIG_IGN]
        try:
            for number in caught:
                signal.signal(number, on_signal)
            termios.tcsetattr(file, termios.TCSADRAIN, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
            text = _with_echo(prompt)
        finally:
            termios.tcsetattr(file, termios.TCSADRAIN, before)
            for number in caught:
                signal.signal(number, earlier[number])
        output.say_lines("\n" if text.strip() else "")
        return text
