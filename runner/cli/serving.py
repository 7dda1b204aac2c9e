"""Serving the doubles of a sandbox, for the verbs that go to one."""

import importlib
from contextlib import AbstractContextManager
from pathlib import Path


def sandbox(folder: Path) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts; it gives the URL."""
    # the web server is imported only where a target is a sandbox: 79 ms
    served: AbstractContextManager[str] = importlib.import_module("runner.sandbox.server").served(folder)
    return served
