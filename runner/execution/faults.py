"""A fault of this program: a problem for people, and its details in a private file."""

import os
import sys
import tempfile
import traceback

from runner.foundation.problems import Problem
from runner.version import VERSION


def fault_problem(fault: BaseException, *, where: str = "") -> Problem:
    """The problem of an exception. Its trace, which may hold what a site sent, goes into a file."""
    trace = "".join(traceback.format_exception(fault))
    hint = f"see the run's events for what was sent so far; the details of the fault are {_stored(trace)}"
    return Problem(code="E700", message=f"a fault of this program{where}: {trace.strip().splitlines()[-1]}", hint=hint)


def _stored(trace: str) -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="creatio-runner-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"creatio-runner {VERSION}, Python {sys.version}\n\n{trace}")
    except OSError as error:
        return f"lost, as no log file can be written: {error.strerror or error}"
    return f"in {path}"
