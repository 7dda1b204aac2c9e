"""A site made ready for a run: what its templates stand for, looked up in the environment and in files.

Done once, before anything is sent. No value is shown in a message; only the name of the variable or file it came from.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from runner.problems import Problem
from runner.targets.model import Password, SiteTarget
from runner.targets.urls import url_mistake
from runner.template import parse
from runner.template.evaluate import EvaluationError, Scope, render
from runner.template.parse import Template
from runner.values import Json, JsonObject


class _UnreadyError(Exception):
    """Something the site needs is missing; caught in this module."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def resolve(
    target: SiteTarget, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> SiteTarget | tuple[Problem, ...]:
    """The same target without templates; its `url` has no `/` at its end.

    `read_file` raises `OSError` or `UnicodeDecodeError` where it cannot.
    """
    written = {"url": target.url}
    if target.auth is not None:
        written |= {"auth.username": target.auth.username, "auth.password": target.auth.password}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for key, text in written.items():
        try:
            found[key] = _worked_out(text, environment=environment, read_file=read_file)
            _refuse(key, found[key])
        except _UnreadyError as unready:
            problems.append(_at(target, key, unready.problem))
    return tuple(problems) if problems else _site(target, found)


def _site(target: SiteTarget, found: Mapping[str, str]) -> SiteTarget:
    auth = None
    if target.auth is not None:
        auth = Password(username=found["auth.username"], password=found["auth.password"])
    return replace(target, url=found["url"].rstrip("/"), auth=auth)


def _worked_out(text: str, *, environment: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    if "{{" not in text:
        return text
    template = parse.target_template(text)
    variables: JsonObject = {name: environment[name] for name in _variables(template) if name in environment}

    def content(path: Json) -> Json:
        return _content(path, read_file)

    try:
        value = render(template, Scope(names={"env": variables}, functions={"file": content}))
    except EvaluationError as error:
        raise _UnreadyError(_why_not(error, template, environment)) from None
    if not isinstance(value, str):
        raise _UnreadyError(Problem(code="E142", message="its template gives no text"))
    return value


def _variables(template: Template) -> list[str]:
    return [str(name.path[1]) for name in template.names if name.path[0] == "env" and len(name.path) > 1]


def _content(path: Json, read_file: Callable[[str], str]) -> str:
    """The text of a file, without its last line end."""
    try:
        return read_file(str(path)).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        raise _UnreadyError(Problem(code="E142", message=f"the file `{path}` cannot be read: {reason}")) from None


def _why_not(error: EvaluationError, template: Template, environment: Mapping[str, str]) -> Problem:
    missing = [name for name in _variables(template) if name not in environment]
    if not missing:
        return Problem(code="E142", message=error.message, hint=error.hint)
    message = f"the environment variable `{missing[0]}` is not set"
    return Problem(code="E142", message=message, hint="set it, or choose another target with `-t`")


def _refuse(key: str, value: str) -> None:
    if key != "url":
        if not value:
            raise _UnreadyError(Problem(code="E134", message="it is empty"))
        return
    wrong = url_mistake(value)
    if wrong is not None:
        raise _UnreadyError(Problem(code=wrong.code, message=wrong.message, hint=wrong.hint))


def _at(target: SiteTarget, key: str, problem: Problem) -> Problem:
    message = f"target `{target.name}`, `{key}`: {problem.message}"
    return Problem(code=problem.code, message=message, hint=problem.hint)
