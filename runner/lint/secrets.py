"""Secrets of a job that others can read: in its file, or in the address of a call.

Passwords are known by the names of their keys, tokens by their look. Only `execute` and `query` have values in
addresses (`service/wire.py`), which web servers log. An undeclared password is shown in reports.
"""

from collections.abc import Collection, Iterator
from typing import Final

from runner.expressions import parse
from runner.foundation.values import Json, JsonObject, ValuePath, leaves, record
from runner.job.outline import Outline
from runner.lint.texts import JobLint
from runner.secrets import written_out

_HINT: Final = 'declare an input with `secret: true`, and write `"{{ inputs.NAME }}"`; change it where it was committed'
_HOLD_VALUES: Final = frozenset({"parameters", "values", "inputs", "vars"})
_NO_SECRETS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "y", "n"})
"""What is there where a name asks whether there is a password."""
_SHORTEST: Final = 3
_LONGEST: Final = 1_000  # characters of a secret
_SENT: Final = {"execute": "parameters", "query": "filter"}
_OPEN: Final = frozenset({"process_id", "status"})  # what a step with `secret: true` gives that may be seen
_LOGGED: Final = "web servers and proxies write addresses into their logs"


def check_secrets(lint: JobLint) -> None:
    """Warn of inputs that are passwords and not declared secret, and of secrets that are written in the file."""
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
            message = f"{what} is written in this file: everybody who can read the file, also in git, has it"
            lint.report("E166", message, path, hint=_HINT, warning=True, hidden=True)


def _is_open_password(name: str, fields: Json) -> bool:
    declared = record(fields)
    is_text = declared.get("type", "string") == "string" and "enum" not in declared
    is_secret = written_out.names_password(name) or written_out.names_token(name)
    return is_text and is_secret and "secret" not in declared


def _secret(path: ValuePath, value: str) -> str | None:
    """What the value at `path` is called, if it is a secret."""
    if len(value) < _SHORTEST or len(value) > _LONGEST or not written_out.is_plain(value):
        return None
    name = str(path[-1])
    is_value = len(path) > 1 and path[-2] in _HOLD_VALUES and value.lower() not in _NO_SECRETS
    if is_value and (written_out.names_password(name) or (written_out.names_token(name) and _is_random(value))):
        return f"`{name}`"
    return "a token" if written_out.looks_like_token(value) else None


def _is_random(text: str) -> bool:
    """Whether a text looks made by a machine: people call other things `token`, too."""
    return len(text) >= 16 and " " not in text and any(map(str.isdigit, text)) and any(map(str.isalpha, text))  # noqa: PLR2004  that long are tokens


def check_sent_secrets(lint: JobLint) -> None:
    """Warn of secret inputs in values that are sent in an address, which proxies and servers log."""
    if "secret" not in lint.document.text:
        return
    roots = _secret_roots(lint.outline)
    for step in lint.outline.steps:
        for action, key in _SENT.items():
            fields, path = record(step.fields.get(action)), (*step.path, action, key)
            for at, value in leaves(fields.get(key), path):
                if (name := next(_secrets_in(value, roots), None)) is not None:
                    message = f"`{name}` is secret, and `{action}` sends it in its address: {_LOGGED}"
                    lint.report("E137", message, at, hint=_hint(action, fields), warning=True)


def _hint(action: str, fields: JsonObject) -> str:
    if action == "query":
        return "start a process with `run` that looks for it: `run` sends parameters in the body of its request"
    asked = fields.get("result")
    results = f", and `results: [{asked}]` in place of `result`" if isinstance(asked, str) else ""
    return f"write `run` in place of `execute`{results}: it sends parameters in the body of its request"


def _secret_roots(job: Outline) -> frozenset[ValuePath]:
    """How the names of secrets begin: inputs, vars that use them, and what steps gave that are secret."""
    roots: set[ValuePath] = {("inputs", name) for name, declared in job.inputs.items() if _says_secret(declared)}
    roots |= {("steps", name) for name, declared in job.by_id.items() if _says_secret(declared.step.fields)}
    for name, value in job.vars.items():  # each uses those above it alone
        if any(next(_secrets_in(text, roots), None) for _, text in leaves(value)):
            roots.add(("vars", name))
    return frozenset(roots)


def _says_secret(fields: Json) -> bool:
    return record(fields).get("secret") is True


def _secrets_in(value: Json, roots: Collection[ValuePath]) -> Iterator[str]:
    """The names in a text that give secrets, as they are written there."""
    parsed = parse.readable(parse.template, value) if isinstance(value, str) and "{{" in value else None
    for name in parsed.names if parsed is not None else ():
        if name.path[:2] in roots and not (name.path[0] == "steps" and name.path[2:3] and name.path[2] in _OPEN):
            yield ".".join(map(str, name.path))
