"""What is said when a command is told to stop: what happens now, for how long, and what was left undone."""

from collections.abc import Callable, Sequence

from runner.cli import output
from runner.foundation.durations import written
from runner.foundation.problems import ExitCode, strongest
from runner.hosts.stop import Stop
from runner.reports.words import meaning
from runner.runs.result import RunResult


def hearing(grace: float, *, begun: Callable[[], bool], over: Callable[[], bool]) -> Callable[[str], None]:
    """Who tells of the first signal. It is called inside of the signal's handler, and waits for no reader.

    `begun` says whether any run has begun by then, `over` whether all are carried out.
    """

    def told(name: str) -> None:
        words = _OVER.format(name) if over() else _words(name, grace) if begun() else _NOTHING.format(name)
        apart = "\n" if output.is_terminal("stderr") else ""  # after the ^C, or a line that is being redrawn
        output.say_lines(apart + words)

    return told


def tell_of_giving_up(stop: Stop, grace: float) -> None:
    """Said when nobody waits for the runs any longer; how each of them stands is told after it."""
    why = f"the grace of {written(grace)} is over" if stop.is_over() else "interrupted again"
    output.say(f"{why}: ended here; what was under way is not waited for, and `undo` and `finally` stop too")


def tell_of_code(code: ExitCode, results: Sequence[RunResult]) -> None:
    """Said where a command ends with another code than its runs do, whose account has told theirs."""
    if not results or code != strongest(result.exit_code for result in results):
        output.say(f"exit {code:d}: {meaning(code)}")


_NOTHING = "{}: no run has begun, and none will\n"
_OVER = "{}: nothing is under way any more; the reports are being written\n"


def _words(name: str, grace: float) -> str:
    ending = "a second Ctrl-C" if name == "SIGINT" else "a SIGINT (Ctrl-C)"
    return (
        f"{name}: no further step begins; a call in flight may still be answered; then `undo` and `finally`, "
        f"all within {written(grace)}; {ending} ends it now\n"
    )
