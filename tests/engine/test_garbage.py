import gc

from stories import RUN, planned

from runner.engine.carry_out import carry_out
from runner.engine.effects import Done, Outcome, Sleep
from runner.planning.plan import Plan


def _carried_out(plan: Plan) -> None:
    running, outcome = carry_out(plan, RUN), None
    while True:
        try:
            effect = running.send(outcome)
        except StopIteration:
            return
        outcome = _outcome(effect)


def _outcome(effect: object) -> Outcome | None:
    return Done(t=1.0) if isinstance(effect, Sleep) else None


def test_what_a_run_held_is_free_when_it_has_ended_and_waits_for_no_collector() -> None:
    plan = planned("  - id: nap\n    pause: 1s\n  - if: success()\n    pause: 1s\n")
    _carried_out(plan)
    gc.collect()
    gc.disable()
    try:
        _carried_out(plan)
        assert gc.collect() == 0
    finally:
        gc.enable()
