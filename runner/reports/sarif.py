"""Mistakes as SARIF 2.1.0: results, and a rule with its help for each code.

Files are relative to the root of the sources. What has no file is a notification, as a result must have a place.
"""

from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import quote

from runner.explanations.read import as_markdown, as_text, explanation
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, errors_in
from runner.foundation.values import Json, JsonObject, pointer, well_formed
from runner.reports.mistakes import in_order
from runner.reports.safe import json_document, safe
from runner.version import VERSION

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_LINK = lazy_pattern(r"\[(?=[^\[\]]*\]\()")


def sarif(problems: Sequence[Problem]) -> str:
    """A run with all problems; a log without results for none."""
    log: JsonObject = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(in_order(problems))]}
    return json_document(log)


def _run(problems: Sequence[Problem]) -> JsonObject:
    codes = sorted({problem.code for problem in problems})
    rules: list[Json] = [_rule(code) for code in codes]
    results: list[Json] = [_result(problem, codes) for problem in problems if problem.file is not None]
    return {
        "tool": {"driver": {"name": "creatio-runner", "version": VERSION, "rules": rules}},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder from which the files are named."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation([problem for problem in problems if problem.file is None], codes)],
        "results": results,
    }


def _rule(code: str) -> JsonObject:
    explained = explanation(code)
    first = explained.meaning.splitlines()[0]
    return {
        "id": code,
        "name": _named(explained.title),
        "shortDescription": {"text": f"{explained.title[0].upper()}{explained.title[1:]}."},
        "fullDescription": {"text": first},
        "help": {"text": as_text(explained), "markdown": as_markdown(explained)},
        "defaultConfiguration": {"level": "error"},
    }


def _named(title: str) -> str:
    """`UnknownKey`: SARIF wants a name that is stable and reads like that of a class."""
    words = "".join(letter if letter.isalnum() else " " for letter in title.partition(":")[0]).split()
    return "".join(word[0].upper() + word[1:] for word in words)


def _result(problem: Problem, codes: Sequence[str]) -> JsonObject:
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": problem.severity.value,
        "message": {"text": _message(problem)},
        "locations": [_location(problem)],
    }


def _invocation(unplaced: Sequence[Problem], codes: Sequence[str]) -> JsonObject:
    notifications: list[Json] = [
        {
            "associatedRule": {"id": problem.code, "index": codes.index(problem.code)},
            "level": problem.severity.value,
            "message": {"text": _message(problem)},
        }
        for problem in unplaced
    ]
    more: JsonObject = {"toolConfigurationNotifications": notifications} if notifications else {}
    return {"executionSuccessful": not errors_in(unplaced), **more}


def _message(problem: Problem) -> str:
    """The sentence and its hint. In a message of SARIF braces are a placeholder, and `[…](…)` is a link."""
    text = safe(problem.message) + (f"\nhint: {safe(problem.hint)}" if problem.hint else "")
    return well_formed(_LINK.sub(r"\\[", text).replace("{", "{{").replace("}", "}}"))


def _location(problem: Problem) -> JsonObject:
    file = PurePath(problem.file or "")
    uri = quote(file.as_posix(), errors="replace")
    artifact: JsonObject = {"uri": f"file://{uri}"} if file.is_absolute() else {"uri": uri, "uriBaseId": _ROOT}
    physical: JsonObject = {"artifactLocation": artifact}
    if span := problem.span:
        places = {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line}
        physical["region"] = {**places, "endColumn": span.end_column}
    path = well_formed(pointer(problem.path))
    logical: JsonObject = {"logicalLocations": [{"fullyQualifiedName": path}]} if path else {}
    return {"physicalLocation": physical, **logical}
