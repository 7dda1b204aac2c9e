"""The engine: a generator that yields effects, is handed their outcomes, and so carries a plan out.

It knows no network, no file, no clock and no chance. Given the same outcomes it asks for the same effects, which is
what lets a broken run be resumed by feeding the outcomes it had to a fresh engine.
"""

from runner.engine.effects import Running
from runner.engine.scope import RunFacts, names_of, work_out_vars
from runner.engine.state import HostStopped, State, note
from runner.engine.step import carry_out_step, interrupt, skip
from runner.events import RunClosing, RunFinished, RunStarted, RunStatus, Status, Trouble
from runner.plan import Plan, PlannedStep, open_inputs
from runner.problems import ExitCode
from runner.template.evaluate import EvaluationError
from runner.values import Json, JsonObject

_EXIT_CODES = {
    RunStatus.PASSED: ExitCode.PASSED,
    RunStatus.FAILED: ExitCode.FAILED,
    RunStatus.ERROR: ExitCode.NO_ANSWER,
    RunStatus.UNKNOWN: ExitCode.UNKNOWN,
    RunStatus.REFUSED: ExitCode.REFUSED,
}
_STOPPED_CODES = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HUNG_UP}


def carry_out(plan: Plan, run: RunFacts) -> Running[None]:
    """Carry out the steps, reach the turning point, then `finally`, whatever happened."""
    state = _new_state(plan, run)
    yield from note(_started(plan, run))
    trouble = _vars_trouble(state)
    yield from _section(state, plan.steps)
    yield from note(RunClosing(t=state.t, why=_why_closing(state)))
    yield from _section(state, plan.final_steps)
    outputs, broken = _outputs(state)
    yield from note(_finished(state, outputs, trouble or broken))


def _new_state(plan: Plan, run: RunFacts) -> State:
    def failing() -> bool:
        return bool(state.counted) or state.stopped_by is not None

    def success() -> Json:
        return not (failing() if state.closing else state.halted)

    conditions = {"success": success, "failure": lambda: not success(), "always": lambda: True}
    state = State(plan=plan, names=names_of(plan, run, conditions))
    return state


def _started(plan: Plan, run: RunFacts) -> RunStarted:
    return RunStarted(
        run=run.id,
        engine=run.engine,
        job=plan.job.name,
        file=plan.job.file,
        case=plan.case,
        target=plan.target,
        inputs=open_inputs(plan.job, plan.inputs),
        digest=plan.digest,
        commit=run.commit,
        started_at=run.started_at,
        help=plan.job.help,
    )


def _vars_trouble(state: State) -> Trouble | None:
    """Work out the job's `vars`; one that breaks stops the run before its first step."""
    try:
        work_out_vars(state.plan.job, state.names)
    except EvaluationError as error:
        state.counted.add(Status.FAILED)
        state.halted = True
        return Trouble(code="E207", message=f"`vars` cannot be worked out: {error}", hint=error.hint)
    return None


def _section(state: State, steps: tuple[PlannedStep, ...]) -> Running[None]:
    """One section. The one place where a stop of the host is caught: the rest of the section is skipped."""
    for position, planned in enumerate(steps):
        try:
            yield from carry_out_step(state, planned)
        except HostStopped as stop:
            state.stopped_by = stop.why
            state.halted = True
            yield from interrupt(state, planned, stop.why)
            for left_out in steps[position + 1 :]:
                yield from skip(state, left_out, reason="stopped")
            return


def _why_closing(state: State) -> str:
    state.closing = True
    if state.stopped_by is not None:
        return state.stopped_by
    return "stopped" if state.halted else "done"


def _outputs(state: State) -> tuple[JsonObject, Trouble | None]:
    """The job's outputs. Of a run that passed each must be there; of another one those that can be had are."""
    outputs: JsonObject = {}
    trouble = None
    for name, text in state.plan.job.outputs.items():
        try:
            outputs[name] = state.names.result_of(text, f"outputs.{name}")
        except EvaluationError as error:
            outputs[name] = None
            trouble = trouble or Trouble(code="E207", message=f"output `{name}`: {error}", hint=error.hint)
    if trouble is not None and state.run_status() is RunStatus.PASSED:
        state.counted.add(Status.FAILED)
        return outputs, trouble
    return outputs, None


def _finished(state: State, outputs: JsonObject, trouble: Trouble | None) -> RunFinished:
    status = state.run_status()
    code = _STOPPED_CODES.get(state.stopped_by or "", ExitCode.INTERRUPTED)
    exit_code = code if status is RunStatus.CANCELLED else _EXIT_CODES[status]
    return RunFinished(t=state.t, status=status, exit_code=exit_code, outputs=outputs, error=trouble)
