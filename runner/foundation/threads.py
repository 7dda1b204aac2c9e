"""Starting a thread, where the machine lets it start: a bound on processes (`ulimit -u`) counts threads, too."""

import threading
from collections.abc import Callable

from runner.foundation.problems import Problem, UsageError


def start(work: Callable[[], None], *, name: str) -> threading.Thread:
    """A thread that ends with the program. Raises `UsageError` where none can be started."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise none_left() from error
    return thread


def none_left() -> UsageError:
    """What to raise where Python cannot start a thread."""
    message = "this machine does not let the program start another thread"
    hint = "raise the bound on processes (`ulimit -u`), or the memory that it may take (`ulimit -v`)"
    return UsageError(Problem(code="E164", message=message, hint=hint))
