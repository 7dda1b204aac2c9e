"""Mistakes as GitLab's code quality report. Each needs a file: a mistake on the command line gets the folder."""

import hashlib
from collections.abc import Sequence

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import JsonObject, pointer, well_formed
from runner.reports.mistakes import in_order
from runner.reports.safe import json_document, safe

_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def gitlab(problems: Sequence[Problem]) -> str:
    """A JSON array with a record for each mistake; empty for none."""
    seen: dict[str, int] = {}
    return json_document([_record(problem, seen) for problem in in_order(problems)])


def _record(problem: Problem, seen: dict[str, int]) -> JsonObject:
    hint = f"; {problem.hint}" if problem.hint else ""
    return {
        "check_name": problem.code,
        "description": well_formed(safe(f"{problem.code}: {problem.message}{hint}")),
        "fingerprint": _fingerprint(problem, seen),
        "severity": _SEVERITY[problem.severity],
        "location": {
            "path": well_formed(safe((problem.file or ".").removeprefix("./"))),
            "lines": {"begin": problem.span.line if problem.span else 1},
        },
    }


def _fingerprint(problem: Problem, seen: dict[str, int]) -> str:
    """The same for the same mistake when lines above it change; equal mistakes are counted, since it must be unique."""
    parts = [problem.code, problem.file or "", pointer(problem.path), problem.message]
    text = well_formed("\0".join(parts))
    seen[text] = seen.get(text, 0) + 1
    return hashlib.sha256(f"{text}\0{seen[text]}".encode()).hexdigest()
