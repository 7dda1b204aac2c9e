"""A fault of this program: written to a log file, told in two lines. Imported only when there is one."""

import os
import sys
import tempfile
import traceback

from runner.foundation.problems import Problem
from runner.reports import mistakes
from runner.version import VERSION


def told() -> str:
    """Write the exception that is being handled into a private file, and say where.

    Its trace may hold what a site sent, so only its last line is shown.
    """
    trace = traceback.format_exc()
    message = f"a fault of this program: {trace.strip().splitlines()[-1]}"
    hint = f"what was sent so far is in the run's events, and the details of the fault are {_kept(trace)}"
    return mistakes.text([Problem(code="E700", message=message, hint=hint)])


def _kept(trace: str) -> str:
    """Where the trace is."""
    try:
        handle, path = tempfile.mkstemp(prefix="creatio-runner-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(f"creatio-runner {VERSION}, Python {sys.version}\n\n{trace}")
    except OSError as error:
        return f"lost, as no log file can be written: {error.strerror or error}"
    return f"in {path}"
