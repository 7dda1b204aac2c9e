"""The questions that a person at the terminal answers, on stderr: of jobs, and for inputs. In CI nobody does."""

import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import FrameType

from runner.engine.effects import Ask
from runner.hosts.stop import Stop
from runner.hosts.turns import RunLeftError
from runner.job.inputs import VARIABLE, Given, Origin, UnfitError, fit, what_fits
from runner.job.model import Case, Input, Job
from runner.reports.safe import clean
from runner.reports.words import labelled
from runner.terminal import output

_LOOK = 0.2  # seconds between two looks at the stop, while nobody answers
_ASKING = threading.Lock()
_LATER = " (`later` leaves the run here, and `runner resume` asks again)"


def is_there() -> bool:
    """Whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and output.is_terminal("stderr")


def says_yes(question: str, *, explained: str | None = None) -> bool:
    """Ask until there is a yes or a no; the end of the input is a no. `explained` is the answer to `?` and nonsense."""
    while True:
        _put(question)
        answer = _parsed(_line(), explained)
        if answer is not None:
            return answer


def answer_of(ask: Ask, stop: Stop, seconds: float | None) -> bool | None:
    """A person's answer to a question of a run; None for a stop, or after `seconds` (but on Windows).

    Of runs side by side one asks at a time. Raises `RunLeftError` where they leave the run here.
    """
    ends = None if seconds is None else time.monotonic() + seconds

    def is_due() -> bool:
        return stop.why is None and (ends is None or time.monotonic() < ends)

    while is_due():
        if _ASKING.acquire(timeout=_LOOK):
            try:
                return _answer_to(ask, is_due)
            finally:
                _ASKING.release()
    return None


def _answer_to(ask: Ask, is_due: Callable[[], bool]) -> bool | None:
    _put(ask.text, _LATER)
    while is_due():
        if _has_come():
            line = _line()
            if line.strip().casefold() == "later":
                raise RunLeftError
            answer = _parsed(line, ask.help)
            if answer is not None:
                return answer
            _put(ask.text, _LATER)
    output.say_lines("\n")
    return None


def _put(question: str, more: str = "") -> None:
    """Ask; what was typed before is no answer to this."""
    _forget_what_was_typed()
    output.say_lines(f"? {clean(question)}{more} [y/N] ")


def _parsed(answer: str, explained: str | None) -> bool | None:
    """The answer, or None after it was explained what an answer is."""
    match answer.strip().casefold():
        case "y" | "yes":
            return True
        case "n" | "no" | "":
            if not answer:
                output.say_lines("\n")
            return False
    lines = labelled("help", explained) if explained else []
    output.say_lines("".join(f"  {line}\n" for line in (*lines, "`y` is a yes; `n`, or nothing, is a no")))
    return None


def _has_come() -> bool:
    """Whether there is something to read, after at most `_LOOK`. Windows cannot say that."""
    return sys.platform == "win32" or bool(select.select([sys.stdin], [], [], _LOOK)[0])


def _line() -> str:
    """What somebody typed. It is not waited for while reading, where a signal would be seen too late."""
    try:
        while not _has_come():
            pass
        return sys.stdin.readline()
    except (OSError, UnicodeDecodeError):
        return ""


def missing_inputs(
    runs: Iterable[tuple[Job, Case | None]], known: Mapping[str, Given], environment: Mapping[str, str]
) -> dict[str, Given]:
    """The missing inputs that a person at a terminal gives, by name, up to the first that they do not."""
    found: dict[str, Given] = {}
    if environment.get("CI") or not is_there():
        return found
    for declared in _not_given(runs, known, environment):
        value = _answer(declared)
        if value is None:
            break
        found[declared.name] = Given(value=value, origin=Origin.TERMINAL)
    return found


def _not_given(
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
    """A text that fits the input; None where the input ends (Ctrl-D)."""
    about = f" ({clean(what_fits(declared))})"
    for_people = f": {clean(declared.description)}" if declared.description else ""
    while True:
        prompt = f"? input `{clean(declared.name)}`{about}{for_people}> "
        text = (_without_echo if declared.secret else _with_echo)(prompt)
        if not text:
            output.say_lines("\n")
            return None
        value = text.removesuffix("\n").removesuffix("\r")
        if not value.strip():
            output.say_lines("\n" * declared.secret + "  type a value; Ctrl-D ends the questions\n")
            continue
        try:
            fit(declared, value, is_text=True)
        except UnfitError as unfit:
            output.say_lines(f"  {clean(str(unfit))}\n")
        else:
            return value


def _with_echo(prompt: str) -> str:
    output.say_lines(prompt)
    return _line()


if sys.platform == "win32":
    import getpass

    def _forget_what_was_typed() -> None:
        """Not on Windows."""

    def _without_echo(prompt: str) -> str:
        return getpass.getpass(prompt) + "\n"

else:
    import termios

    def _forget_what_was_typed() -> None:
        with suppress(OSError, ValueError, termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def _without_echo(prompt: str) -> str:
        """A line that the terminal does not show, not even where it is typed as soon as the prompt is there.

        The terminal shows again what is typed, whatever happens: some signals run no `finally`.
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
