"""Required inputs that nobody has given, asked for at a terminal before anything is sent. In CI nobody is there."""

import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType

from runner.cli import asking, output
from runner.job.inputs import VARIABLE, Given, Origin, UnfitError, fit
from runner.job.model import Case, Input, Job
from runner.reports.safe import clean


def asked_for(
    runs: Iterable[tuple[Job, Case | None]], known: Mapping[str, Given], environment: Mapping[str, str]
) -> dict[str, Given]:
    """What a person gives, by name. Nothing where there is no terminal, or in CI; who gives no answer is asked for
    nothing more, and what is missing is told like any mistake.
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
        text = (_without_echo if declared.secret else _asked)(prompt)
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


def _asked(prompt: str) -> str:
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

        def hear(number: int, frame: FrameType | None) -> None:
            termios.tcsetattr(file, termios.TCSADRAIN, before)
            then = earlier[signal.Signals(number)]
            if not callable(then):
                raise KeyboardInterrupt
            then(number, frame)

        heard = [number for number, then in earlier.items() if then is not signal.SIG_IGN]
        try:
            for number in heard:
                signal.signal(number, hear)
            termios.tcsetattr(file, termios.TCSADRAIN, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
            text = _asked(prompt)
        finally:
            termios.tcsetattr(file, termios.TCSADRAIN, before)
            for number in heard:
                signal.signal(number, earlier[number])
        output.say_lines("\n" if text.strip() else "")
        return text
