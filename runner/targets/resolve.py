"""A site made ready for a run: what its templates stand for, looked up in the environment and in files.

Done once, before anything is sent. No value is shown in a message; only the name of the variable or file it came from.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from runner.expressions import parse
from runner.expressions.evaluate import EvaluationError, Scope, render
from runner.expressions.parse import Template
from runner.foundation.problems import Finding, Problem
from runner.foundation.values import Json, JsonObject, is_well_formed
from runner.targets.headers import value_mistake
from runner.targets.model import ClientCredentials, Keys, Password, SiteTarget
from runner.targets.urls import (
    IDENTITY_HINT,
    NO_IDENTITY,
    identity_in_the_cloud,
    identity_mistake,
    proxy_mistake,
    url_mistake,
    without_token_path,
)


class _UnreadyError(Exception):
    """Something the site needs is missing; caught in this module."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def resolve(
    target: SiteTarget, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> SiteTarget | tuple[Problem, ...]:
    """The same target without templates; its addresses have no `/` at their ends, and that of the identity service is
    there where it is needed.

    `read_file` raises `OSError` or `UnicodeDecodeError` where it cannot.
    """
    found: dict[Keys, str] = {}
    problems: list[Problem] = []
    for key, text in _written(target).items():
        try:
            found[key] = _worked_out(text, environment=environment, read_file=read_file)
            _refuse(key, found[key], plain_http=target.plain_http)
        except _UnreadyError as unready:
            problems.append(_at(target, key, unready.problem))
    if problems:
        return tuple(problems)
    ready = _site(target, found)
    if isinstance(ready.auth, ClientCredentials) and ready.identity_url is None:
        return (_at(target, ("auth",), Problem(code="E142", message=NO_IDENTITY, hint=IDENTITY_HINT)),)
    return ready


def _written(target: SiteTarget) -> dict[Keys, str]:
    """Every text of a target that may hold a template."""
    single = {"url": target.url, "identity_url": target.identity_url, "ca_file": target.ca_file, "proxy": target.proxy}
    written: dict[Keys, str] = {(key,): text for key, text in single.items() if text is not None}
    match target.auth:
        case Password(username=username, password=password):
            written |= {("auth", "username"): username, ("auth", "password"): password}
        case ClientCredentials(client_id=client_id, client_secret=client_secret):
            written |= {("auth", "client_id"): client_id, ("auth", "client_secret"): client_secret}
        case None:
            pass
    return written | {("headers", name): value for name, value in target.headers}


def _site(target: SiteTarget, found: Mapping[Keys, str]) -> SiteTarget:
    auth = target.auth
    match auth:
        case Password():
            auth = Password(username=found["auth", "username"], password=found["auth", "password"])
        case ClientCredentials():
            client_id, client_secret = found["auth", "client_id"], found["auth", "client_secret"]
            auth = ClientCredentials(client_id=client_id, client_secret=client_secret)
    url = found[("url",)].rstrip("/")
    identity = without_token_path(found.get(("identity_url",), "")) or None
    if identity is None and isinstance(auth, ClientCredentials):
        identity = identity_in_the_cloud(url)
    return replace(
        target,
        url=url,
        auth=auth,
        identity_url=identity,
        ca_file=found.get(("ca_file",)),
        proxy=found.get(("proxy",)),
        headers=tuple((name, found["headers", name]) for name, _ in target.headers),
    )


def _worked_out(text: str, *, environment: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    if "{{" not in text:
        return text
    template = parse.target_template(text)
    variables: JsonObject = {name: environment[name] for name in _variables(template) if name in environment}
    for name, given in variables.items():
        if not is_well_formed(str(given)):
            raise _UnreadyError(Problem(code="E159", message=f"the environment variable `{name}` is not UTF-8"))

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


def _refuse(key: Keys, value: str, *, plain_http: bool) -> None:
    wrong = _mistake(key, value, plain_http=plain_http)
    if wrong is not None:
        raise _UnreadyError(Problem(code=wrong.code, message=wrong.message, hint=wrong.hint))


def _mistake(key: Keys, value: str, *, plain_http: bool) -> Finding | Problem | None:
    match key[0]:
        case "url":
            return url_mistake(value, plain_http=plain_http)
        case "identity_url":
            return identity_mistake(value, plain_http=plain_http)
        case "proxy":
            return proxy_mistake(value)
        case "headers":
            return value_mistake(value)
        case "auth" if not value:
            return Problem(code="E134", message="it is empty")
        case "ca_file" if not value:
            return Problem(code="E142", message="it is empty")
        case _:
            return None


def _at(target: SiteTarget, key: Keys, problem: Problem) -> Problem:
    """The problem with the target's name and the value's key, and with its place where that is in a file."""
    message = f"target `{target.name}`, `{'.'.join(key)}`: {problem.message}"
    told = Problem(code=problem.code, message=message, hint=problem.hint)
    return told if target.placed is None else target.placed(told, key)
