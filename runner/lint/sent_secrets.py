"""Secrets that a call writes into its address, which web servers and proxies keep in their logs.

Only `execute` and `query` have values in their addresses (`service/wire.py`): all other actions send theirs in a body.
"""

from collections.abc import Collection, Iterator
from typing import Final

from runner.expressions import parse
from runner.foundation.raw import record
from runner.foundation.values import Json, JsonObject, Path, leaves
from runner.job.outline import Outline
from runner.lint.texts import JobLint

_SENT: Final = {"execute": "parameters", "query": "filter"}
_OPEN: Final = frozenset({"process_id", "status"})
"""What a step with `secret: true` gives that may be seen."""
_LOGGED: Final = "web servers and proxies write addresses into their logs"


def check_sent_secrets(lint: JobLint) -> None:
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


def _secret_roots(job: Outline) -> frozenset[Path]:
    """How the names of secrets begin: inputs, vars that use them, and what steps gave that are secret."""
    roots: set[Path] = {("inputs", name) for name, declared in job.inputs.items() if _says_secret(declared)}
    roots |= {("steps", name) for name, declared in job.by_id.items() if _says_secret(declared.step.fields)}
    for name, value in job.vars.items():  # each uses those above it alone
        if any(next(_secrets_in(text, roots), None) for _, text in leaves(value)):
            roots.add(("vars", name))
    return frozenset(roots)


def _says_secret(fields: Json) -> bool:
    return record(fields).get("secret") is True


def _secrets_in(value: Json, roots: Collection[Path]) -> Iterator[str]:
    """The names in a text that give secrets, as they are written there."""
    parsed = parse.readable(parse.template, value) if isinstance(value, str) and "{{" in value else None
    for name in parsed.names if parsed is not None else ():
        if name.path[:2] in roots and not (name.path[0] == "steps" and name.path[2:3] and name.path[2] in _OPEN):
            yield ".".join(map(str, name.path))
