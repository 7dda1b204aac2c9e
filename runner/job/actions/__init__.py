"""The table of all actions, by their keys. How each is carried out, `runner.engine.actions` knows."""

from collections.abc import Mapping
from typing import Final

from runner.job.actions.action import ActionType
from runner.job.actions.cancel import CANCEL, Cancel
from runner.job.actions.confirm import CONFIRM, Confirm
from runner.job.actions.element import ELEMENT, ELEMENTS, Element, ElementName, Elements
from runner.job.actions.execute import EXECUTE, Decode, Execute
from runner.job.actions.failures import FAILURES, Failures
from runner.job.actions.included import JOB, IncludedJob
from runner.job.actions.pause import PAUSE, Pause
from runner.job.actions.query import QUERY, Query
from runner.job.actions.run import RUN, Run
from runner.job.actions.signal import SIGNAL, Change, Signal
from runner.job.actions.wait import WAIT, Wait, WaitFor

ACTIONS: Final[Mapping[str, ActionType]] = {
    action.key: action
    for action in (
        EXECUTE,
        ELEMENT,
        ELEMENTS,
        RUN,
        WAIT,
        CANCEL,
        FAILURES,
        SIGNAL,
        QUERY,
        JOB,
        CONFIRM,
        PAUSE,
    )
}
"""In the order in which messages list them."""

__all__ = ["ACTIONS", "ActionType", "Cancel", "Change", "Confirm", "Decode", "Element", "ElementName", "Elements"]
__all__ += ["Execute", "Failures", "IncludedJob", "Pause", "Query", "Run", "Signal", "Wait", "WaitFor"]
