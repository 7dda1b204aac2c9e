"""A run of a loop with very many turns, as events."""

from runner.runs.events import (
    AnyEvent,
    CallAnswered,
    CallSent,
    Row,
    RunFinished,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
)
from runner.runs.evidence import SentRequest
from runner.runs.status import Status

_PATH = "/0/ServiceModel/ProcessEngineService.svc/UsrCheckAmount/Execute"
_PROCESS = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


def turn(at: int) -> Row:
    return Row(key=f"each[{at}]", id="each", name="Check", kind="execute", section=Section.STEPS, index=at, line=4)


def loop_of(turns: int) -> list[AnyEvent]:
    """All that comes after `run.started`: each turn makes a call and reads the log."""
    events: list[AnyEvent] = []
    for at in range(turns):
        key, t = f"each[{at}]", at / 100
        call = {"kind": "execute", "process": "UsrCheckAmount", "parameters": {"Amount": at}, "result": "Ok"}
        query = (("ResultParameterName", "Ok"), ("Amount", str(at)))
        request = SentRequest(method="GET", path=_PATH, query=query)
        reading = {"kind": "read_rows", "process": "UsrCheckAmount", "since": None}
        events += [
            StepStarted(row=turn(at), t=t),
            CallSent(key=key, effect="read", call=call, t=t, request=request),
            CallAnswered(key=key, t=t + 0.004, value=True),
            CallSent(t=0, key=key, effect="read", call=reading),
            CallAnswered(key=key, t=t + 0.008, value=[{"id": _PROCESS, "status": "done", "error": None}]),
            StepFinished(
                key=key,
                t=t + 0.009,
                status=Status.PASSED,
                seconds=0.009,
                attempts=1,
                verified=True,
                process_id=_PROCESS,
                result=True,
            ),
        ]
    return [*events, RunFinished(t=turns / 100, status=RunStatus.PASSED, exit_code=0)]
