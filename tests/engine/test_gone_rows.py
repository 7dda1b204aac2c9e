"""Rows that the process log has shown and shows no more, as they are archived or deleted: none is waited for long."""

import pytest
from stories import World, planned

from runner.service.calls import Answered, CancelCall, Ending, ReadRow

GUID = "00000000-0000-0000-0000-000000000001"
SETTLE = 15.0
GONE = "the process log has shown its row, and shows it no more: it was archived, or deleted"
STEPS = {
    "execute": "execute: {process: UsrA, until: done}\n    verify: log",
    "run": "run: {process: UsrA, until: done}",
    "wait": f"wait: {{process_id: {GUID}, for: ended}}",
    "cancel": f"cancel: {{process_id: {GUID}}}\n    verify: log",
}


class Vanishing(World):
    """Its only row is gone after a few seconds, or when it is cancelled."""

    cancelled = False

    def _row(self, process_id: str) -> Ending:
        return Answered(value=None) if self.t > 5.0 or self.cancelled else super()._row(process_id)

    def _cancel(self, call: CancelCall) -> Ending:
        self.cancelled = True
        return super()._cancel(call)


@pytest.mark.parametrize("action", STEPS.values(), ids=STEPS)
def test_a_row_that_is_gone_is_waited_for_no_longer_than_settle(action: str) -> None:
    world = Vanishing(statuses=["running"], immortal=True)
    if not action.startswith(("execute", "run")):
        world.add_row("UsrA", "running")
    row = world.carry_out(planned(f"  - id: a\n    {action}\n")).finished("a")
    assert row.status.value != "passed"
    assert row.error is not None
    assert GONE in row.error.message
    assert world.t < 5.0 + 2 * SETTLE
    assert any(isinstance(getattr(effect, "call", None), ReadRow) for effect in world.effects)
