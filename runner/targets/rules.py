"""What a schema cannot say of targets: their templates and their addresses. Reads no environment and no file."""

from collections.abc import Collection, Iterator

from runner.documents.document import Document
from runner.problems import Problem
from runner.raw import record
from runner.targets.urls import url_mistake
from runner.template import parse
from runner.template.parse import Name, TemplateProblem
from runner.values import Json, Path

_BRACES = "{{"
_WORKED_OUT = ("url", "identity_url", "ca_file", "proxy", "auth", "headers")
"""The keys of a site in whose values templates are read."""


def check(document: Document, *, reported: Collection[Problem] = ()) -> tuple[Problem, ...]:
    """Every mistake of a targets file, in its order. What `reported` says already is not said again."""
    known = {problem.path for problem in reported if problem.code != "E109"}
    targets = record(record(document.data).get("targets"))
    found = [problem for name, target in targets.items() for problem in _target(document, name, target)]
    return tuple(problem for problem in found if problem.path not in known)


def _target(document: Document, name: str, target: Json) -> Iterator[Problem]:
    for key, value in record(target).items():
        path: Path = ("targets", name, key)
        for at, text in _texts(value, path):
            if _BRACES in text:
                yield from _template(document, text, at) if key in _WORKED_OUT else _in_vain(document, at)
            elif key in ("url", "identity_url"):
                yield from _url(document, text, at)


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, (*path, index))


def _template(document: Document, text: str, path: Path) -> Iterator[Problem]:
    try:
        parsed = parse.target_template(text)
    except TemplateProblem as problem:
        span = document.name_span(path, line=problem.line, name=problem.name or text)
        yield document.problem(problem.code, problem.message, path=path, hint=problem.hint, span=span)
        return
    for name in parsed.names:
        if name.path[0] != "env" or len(name.path) == 1:
            span = document.name_span(path, line=name.line, name=str(name.path[0]))
            message, hint = _name_mistake(name)
            yield document.problem("E126", message, path=path, hint=hint, span=span)


def _name_mistake(name: Name) -> tuple[str, str]:
    if name.path[0] == "env":
        return "`env` is read one variable at a time", "write `env.NAME`, the name as it stands"
    return f"unknown name `{name.path[0]}`", "a target knows `env.NAME` and `file('PATH')` only"


def _in_vain(document: Document, path: Path) -> Iterator[Problem]:
    hint = f"templates are read in {', '.join(f'`{key}`' for key in _WORKED_OUT)}"
    yield document.problem("E122", "no template is read here", path=path, hint=hint)


def _url(document: Document, text: str, path: Path) -> Iterator[Problem]:
    wrong = url_mistake(text)
    if wrong is not None:
        yield document.problem(wrong.code, wrong.message, path=path, hint=wrong.hint)
