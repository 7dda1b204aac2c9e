"""Commands that carry out the file of a job, as they can be typed."""

from collections.abc import Mapping

from runner.foundation.shell_words import shell_word
from runner.reports.safe import clean
from runner.secrets.shown import STARS, hide


def file_command(file: str, target: str, name: str | None) -> str:
    """What carries out the file of a job as it is now; `name` is `job[case]` where it has cases."""
    case = "" if name is None else f" -k {shell_word(clean(name))}"
    return f"runner run {shell_word(clean(file))} -t {shell_word(clean(target))}{case}"


def input_words(inputs: Mapping[str, str], *, with_values: bool = True) -> list[str]:
    """`-i` for each of these; in a file a value that holds a secret or would be taken for the name of a file."""
    shown = {name: _given_as(text) if with_values else "VALUE" for name, text in inputs.items()}
    return [word for name, text in shown.items() for word in ("-i", f"{name}={text}")]


def _given_as(text: str) -> str:
    return "@FILE" if text.startswith("@") or STARS in str(hide(text)) else text
