"""The word that somebody meant: the nearest of ours, or ours for a word of another tool. Rather none than a silly one.

Two words are compared without regard to case, dashes, underscores and blanks, so that `maxAttempts` is `max_attempts`.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from runner.foundation.near_misses import eligible, folded, near, near_folded

__all__ = ["FOREIGN", "did_you_mean", "folded", "foreign", "slip", "suggest"]

_LONGEST = 40
"""Nobody means a key by a longer word."""

_TOLD_FROM = 6
"""A shorter word of another tool is known only as it is: four letters are near to too many others."""

_TELLING = 3
"""Letters that tell a word by its beginning."""

FOREIGN: dict[str, tuple[str, ...]] = {
    # Ansible
    "hosts": ("target",),
    "tasks": ("steps",),
    "pretasks": ("steps",),
    "posttasks": ("finally",),
    "when": ("if",),
    "withitems": ("for_each",),
    "withdict": ("for_each",),
    "loop": ("for_each",),
    "register": ("outputs",),
    "setfact": ("outputs", "vars"),
    "ignoreerrors": ("on_failure",),
    "anyerrorsfatal": ("on_failure",),
    "failedwhen": ("expect",),
    "changedwhen": ("effect",),
    "until": ("retry",),
    "retries": ("retry", "max_attempts"),
    "delay": ("retry", "initial", "pause"),
    "nolog": ("secret",),
    "includetasks": ("job",),
    "importtasks": ("job",),
    "importplaybook": ("job",),
    "block": ("steps",),
    "rescue": ("undo",),
    "always": ("finally",),
    "assert": ("expect",),
    "waitfor": ("wait",),
    "debug": ("message", "help"),
    "validatecerts": ("ca_file",),
    "items": ("for_each",),
    "each": ("for_each",),
    "repeat": ("for_each",),
    "enabled": ("if",),
    "disabled": ("if",),
    "onlyif": ("if",),
    "wait": ("initial",),
    "times": ("max_attempts", "for_each"),
    # GitHub Actions, GitLab
    "uses": ("job",),
    "with": ("inputs", "job", "parameters"),
    "include": ("job",),
    "needs": ("if",),
    "env": ("vars",),
    "variables": ("vars", "inputs"),
    "continueonerror": ("on_failure",),
    "continueonfailure": ("on_failure",),
    "soft": ("on_failure",),
    "allowfailure": ("on_failure",),
    "timeoutminutes": ("timeout",),
    "runson": ("target",),
    "jobs": ("steps",),
    "strategy": ("cases",),
    "matrix": ("cases",),
    "script": ("steps", "execute"),
    "afterscript": ("finally",),
    "resourcegroup": ("concurrency",),
    "environment": ("target",),
    "backofflimit": ("max_attempts",),
    "activedeadlineseconds": ("timeout",),
    # Hurl, Tavern, Step CI, and others that call services
    "asserts": ("expect",),
    "assertions": ("expect",),
    "captures": ("outputs",),
    "capture": ("outputs",),
    "extract": ("outputs",),
    "save": ("outputs",),
    "stages": ("steps",),
    "testname": ("name",),
    "request": ("execute",),
    "response": ("expect", "result"),
    "outcome": ("status",),
    "conclusion": ("status",),
    "state": ("status",),
    "verifyresponsewith": ("expect",),
    "test": ("expect",),
    "bind": ("outputs",),
    "check": ("expect",),
    "checks": ("expect",),
    "validate": ("expect",),
    "tests": ("steps", "cases"),
    "http": ("execute", "query"),
    "odata": ("query",),
    "fetch": ("query",),
    "executeprocess": ("execute",),
    "startprocess": ("execute",),
    "executeelement": ("element",),
    "completeelement": ("element",),
    "ca": ("ca_file",),
    "cacert": ("ca_file",),
    "cert": ("ca_file",),
    "method": ("execute_method",),
    "marks": ("tags",),
    "labels": ("tags",),
    "parametrize": ("cases",),
    "params": ("parameters",),
    "args": ("parameters",),
    "arguments": ("parameters",),
    "body": ("parameters",),
    "data": ("parameters", "values", "cases"),
    "dataset": ("cases",),
    "json": ("parameters",),
    "sleep": ("pause", "initial"),
    # Robot Framework, pytest, xUnit
    "documentation": ("description", "help"),
    "setup": ("steps",),
    "suitesetup": ("steps",),
    "testsetup": ("steps",),
    "teardown": ("finally",),
    "suiteteardown": ("finally",),
    "testteardown": ("finally",),
    "restart": ("retry",),
    "cleanup": ("finally", "undo"),
    "testcases": ("cases",),
    "testtimeout": ("timeout",),
    "skip": ("if",),
    "skipif": ("if",),
    "fixture": ("inputs",),
    "xfail": ("on_failure",),
    "shouldbe": ("expect",),
    # Terraform, and workflow engines
    "variable": ("inputs",),
    "locals": ("vars",),
    "input": ("inputs", "in"),
    "output": ("outputs", "out"),
    "inout": ("both",),
    "foreach": ("for_each",),
    "count": ("for_each",),
    "dependson": ("if",),
    "condition": ("if",),
    "unless": ("if",),
    "attempts": ("max_attempts",),
    "maximumattempts": ("max_attempts",),
    "maxretries": ("max_attempts",),
    "limit": ("max_attempts", "top"),
    "interval": ("initial", "every"),
    "initialinterval": ("initial",),
    "maxinterval": ("max",),
    "backoff": ("factor",),
    "backoffcoefficient": ("factor",),
    "multiplier": ("factor",),
    "compensate": ("undo",),
    "rollback": ("undo",),
    "onerror": ("on_failure",),
    "approval": ("confirm",),
    "prompt": ("confirm",),
    "parallel": ("for_each",),
    # what people call things
    "version": ("runner",),
    "title": ("name", "caption"),
    "label": ("name", "caption"),
    "description": ("name", "caption", "help"),
    "parameters": ("inputs",),
    "inputs": ("parameters",),
    "summary": ("description", "help"),
    "comment": ("description", "help"),
    "note": ("help", "description"),
    "name": ("process", "caption"),
    "code": ("process",),
    "schemaname": ("process",),
    "resultparametername": ("result",),
    "parametervalues": ("parameters",),
    "schemauid": ("process",),
    "rootschemaname": ("entity",),
    "isnetcore": ("runtime",),
    "safe": ("protected",),
    "authappuri": ("identity_url",),
    "processelementuid": ("uid",),
    "processid": ("process_id", "of"),
    "id": ("uid", "process_id"),
    "path": ("file",),
    "table": ("entity",),
    "where": ("filter", "if"),
    "filter": ("where",),
    "columns": ("select",),
    "fields": ("select", "values"),
    "set": ("values",),
    "return": ("set",),
    "user": ("username",),
    "login": ("username",),
    "pass": ("password",),
    "token": ("client_secret",),
    "baseurl": ("url",),
    "host": ("url", "target"),
    "site": ("url",),
    "netcore": ("net",),
    "dotnet": ("net",),
    "framework": ("net-framework",),
    "error": ("fail", "on_failure"),
    # earlier drafts of JSON Schema, OpenAPI, and names of types
    "definitions": ("$defs",),
    "dependencies": ("dependentSchemas",),
    "additionalitems": ("items",),
    "nullable": ("type",),
    "regex": ("pattern",),
    "options": ("enum",),
    "choices": ("enum",),
    "values": ("enum",),
    "allowedvalues": ("enum",),
    "value": ("values", "default", "const"),
    "optional": ("default",),
    "sensitive": ("secret",),
    "masked": ("secret",),
    "password": ("secret", "string", "text"),
    "example": ("examples",),
    "str": ("string",),
    "text": ("string",),
    "int": ("integer",),
    "long": ("integer",),
    "float": ("number", "decimal"),
    "double": ("number", "decimal"),
    "decimal": ("number",),
    "bool": ("boolean",),
    "list": ("array", "records"),
    "dict": ("object",),
    "map": ("object",),
    "hash": ("object",),
    "record": ("object", "records"),
    "uuid": ("guid", "string"),
    "uniqueidentifier": ("guid",),
    "float1": ("decimal",),
    "float2": ("decimal",),
    "float3": ("decimal",),
    "float4": ("decimal",),
    "float8": ("decimal",),
    "shorttext": ("text",),
    "mediumtext": ("text",),
    "longtext": ("text",),
    "array": ("records",),
    "collection": ("records",),
    "compositeobjectlist": ("records",),
    "bidirectional": ("both",),
    "guid": ("string",),
    "date": ("string",),
    "datetime": ("string",),
    "time": ("string",),
    "email": ("string", "text"),
    "url": ("string", "text"),
    "choice": ("string", "text"),
    "string": ("text",),
    "number": ("decimal",),
}
"""Words of other tools, folded, with ours in the order in which they are tried: the first that is known counts."""


def foreign(word: str, known: Collection[str]) -> str | None:
    """The one of `known` that is meant by a word of another tool, None where `word` is none."""
    return next((ours for ours in FOREIGN.get(folded(word), ()) if ours in known), None)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` stands for, or None. `known` may hold `word` itself, which is never suggested."""
    bare = folded(word)
    if not 0 < len(bare) <= _LONGEST:
        return None
    candidates = _candidates(eligible(name for name in known if name != word))
    if bare in candidates.meant:
        return candidates.meant[bare]
    measured = [
        (distance, _rank(bare, name), name)
        for distance, index in near_folded(bare, candidates.names, slips=_slips(bare))
        if len(name := candidates.names[index]) >= _TOLD_FROM or name not in FOREIGN or name in candidates.own
    ]
    found = min(measured)[2] if measured else _beginning(bare, candidates.names)
    return candidates.meant.get(found)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint that asks for the one of `known` that `word` stands for, None where it stands for none."""
    found = suggest(word, known)
    return found and f"did you mean `{found}`?"


def slip(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` is with a slip of the keyboard: near by its letters alone, its digits the same.

    It is for warnings: somebody could have meant `word` as it stands, and `lab2` is not `lab1` mistyped.
    """
    digits = [*filter(str.isdigit, word)]
    found = [
        (distance, name)
        for distance, name in near(word, known, slips=_slips(folded(word)))
        if name != word and [*filter(str.isdigit, name)] == digits
    ]
    return min(found)[1] if found else None


class _Candidates(NamedTuple):
    """Folded words and what they stand for. `own` are ours, in `meant` before those of other tools."""

    meant: Mapping[str, str]
    own: frozenset[str]
    names: tuple[str, ...]


@lru_cache(maxsize=64)
def _candidates(ours: tuple[str, ...]) -> _Candidates:
    """Kept, since most words are held against the keys of a few records."""
    found, known = {folded(name): name for name in reversed(ours)}, frozenset(ours)
    own = frozenset(found)
    for word, meant in FOREIGN.items():
        name = next((name for name in meant if name in known), None)
        if name is not None:
            found.setdefault(word, name)
    return _Candidates(meant=found, own=own, names=tuple(found))


def _slips(word: str) -> int:
    """How many slips of the keyboard a word of this length may hold and still be that word."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2  # noqa: PLR2004  lengths


def _rank(word: str, name: str) -> int:
    """Of words that are equally near, one with the same beginning is meant."""
    return -next((index for index, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), len(word))


def _beginning(word: str, names: Iterable[str]) -> str:
    """The name that `word` begins (`exec`), or that begins `word` (`timeout_seconds`); empty where there is none."""
    begun = [name for name in names if len(word) >= _TELLING and name.startswith(word)]
    beginning = [name for name in names if len(name) > _TELLING and word.startswith(name)]
    return min(begun, key=len) if begun else max(beginning, key=len, default="")
