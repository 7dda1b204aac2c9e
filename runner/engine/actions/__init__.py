"""How each action is attempted, by its key. `elements` and `job` hold rows of their own: `runner.engine.step`."""

from collections.abc import Mapping
from typing import Final

from runner.engine.actions.cancel import attempt_cancel
from runner.engine.actions.confirm import attempt_confirm
from runner.engine.actions.element import attempt_element
from runner.engine.actions.execute import attempt_execute
from runner.engine.actions.failures import attempt_failures
from runner.engine.actions.pause import attempt_pause
from runner.engine.actions.query import attempt_query
from runner.engine.actions.run import attempt_run
from runner.engine.actions.signal import attempt_signal
from runner.engine.actions.wait import attempt_wait
from runner.engine.retry import AttemptAction

ATTEMPTS: Final[Mapping[str, AttemptAction]] = {
    "execute": attempt_execute,
    "element": attempt_element,
    "run": attempt_run,
    "wait": attempt_wait,
    "cancel": attempt_cancel,
    "failures": attempt_failures,
    "signal": attempt_signal,
    "query": attempt_query,
    "confirm": attempt_confirm,
    "pause": attempt_pause,
}
