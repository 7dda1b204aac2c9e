"""Secrets that stand in the job's file: passwords by the names of what holds them, tokens by how they look.

An input that is a password by its name and not declared `secret` is shown in events and reports.
"""

from typing import Final

from runner.foundation.raw import record
from runner.foundation.values import Json, Path, leaves
from runner.lint.texts import JobLint
from runner.secrets import written_out

WRITTEN: Final = "is written in this file: everybody who can read the file, also in git, has it"
_HINT: Final = 'declare an input with `secret: true`, and write `"{{ inputs.NAME }}"`; change it where it was committed'
_HOLD_VALUES: Final = frozenset({"parameters", "values", "inputs", "vars"})
_NO_SECRETS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "y", "n"})
"""What is there where a name asks whether there is a password."""
_SHORTEST: Final = 3
_LONGEST: Final = 1_000
"""Characters of a secret."""


def check_secrets(lint: JobLint) -> None:
    if not written_out.may_hold_secrets(lint.document.text):
        return
    for name, fields in lint.outline.inputs.items():
        if _is_open_password(name, fields):
            message = f"`{name}` is not declared secret: its value is shown in events and reports"
            hint = "write `secret: true` beside its `type`; `secret: false` says that everybody may see it"
            lint.report("E166", message, ("inputs", name), at_key=True, hint=hint, warning=True, hidden=True)
    reported = {problem.path for problem in lint.problems}
    for path, value in leaves(lint.document.data):
        if isinstance(value, str) and path not in reported and (what := _secret(path, value)) is not None:
            lint.report("E166", f"{what} {WRITTEN}", path, hint=_HINT, warning=True, hidden=True)


def _is_open_password(name: str, fields: Json) -> bool:
    declared = record(fields)
    is_text = declared.get("type", "string") == "string" and "enum" not in declared
    is_secret = written_out.names_password(name) or written_out.names_token(name)
    return is_text and is_secret and "secret" not in declared


def _secret(path: Path, value: str) -> str | None:
    """What the value at `path` is called where it is a secret, None where it is none."""
    if len(value) < _SHORTEST or len(value) > _LONGEST or not written_out.is_plain(value):
        return None
    name = str(path[-1])
    is_value = len(path) > 1 and path[-2] in _HOLD_VALUES and value.lower() not in _NO_SECRETS
    if is_value and (written_out.names_password(name) or (written_out.names_token(name) and _is_random(value))):
        return f"`{name}`"
    return "a token" if written_out.looks_like_token(value) else None


def _is_random(text: str) -> bool:
    """Whether a text is what a machine makes: `token` is also what people call other things."""
    return len(text) >= 16 and " " not in text and any(map(str.isdigit, text)) and any(map(str.isalpha, text))  # noqa: PLR2004  that long are tokens
