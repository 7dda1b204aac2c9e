"""What of an event a run is resumed by: neither its sentences nor its evidence."""

import msgspec

from runner.runs import events
from runner.runs.status import Status

_ROW_EVIDENCE = ("effect", "on_failure", "condition", "process", "max_attempts", "needs_result")
_NO_ROW_EVIDENCE = dict.fromkeys(_ROW_EVIDENCE, msgspec.UNSET)
_RUN_EVIDENCE = (
    *("command", "rows", "tags", "description", "source", "dirty", "ci", "access", "traceparent", "rerun_of"),
    *("applied", "begun_by", "variables"),
)
_NO_RUN_EVIDENCE = dict.fromkeys(_RUN_EVIDENCE, msgspec.UNSET)


def facts(event: events.AnyEvent) -> events.AnyEvent:
    """`event` without its sentences, which another version of the program may word in another way, and without
    evidence, which an earlier version did not write.

    Two events with the same facts mean the same, so that a journal is resumed whatever version wrote it.
    """
    match event:
        case events.RunStarted():
            event = msgspec.structs.replace(event, **_NO_RUN_EVIDENCE)
        case events.RunResumed():
            event = msgspec.structs.replace(event, resumed_by=msgspec.UNSET, ci=msgspec.UNSET)
        case events.CallSent():
            event = msgspec.structs.replace(event, t=msgspec.UNSET, request=msgspec.UNSET, delayed=msgspec.UNSET)
        case events.StepStarted(row=row) | events.StepSkipped(row=row):
            bare = msgspec.structs.replace(row, name="", help=None, **_NO_ROW_EVIDENCE)
            event = msgspec.structs.replace(event, row=bare)
        case events.AttemptFailed():
            event = msgspec.structs.replace(event, by_hand=msgspec.UNSET)
        case events.StepFinished(checks=checks):
            silent = tuple(msgspec.structs.replace(check, message=None, differences=msgspec.UNSET) for check in checks)
            event = msgspec.structs.replace(
                event, checks=silent, warnings=(), unverified=msgspec.UNSET, running=msgspec.UNSET
            )
        case events.UndoFinished() | events.RunFinished():  # follows from rows; earlier versions took it more lightly
            event = msgspec.structs.replace(event, undo="")
        case _:
            pass
    match event:
        case events.AttemptFailed(kind="in_doubt") | events.StepFinished(status=Status.UNKNOWN):  # why: a sentence, too
            return msgspec.structs.replace(
                event, error=None if event.error is None else events.Trouble(code="", message="")
            )
        case events.AttemptFailed() | events.LogUnreadable() | events.StepFinished() | events.RunFinished() if (
            event.error is not None
        ):
            return msgspec.structs.replace(event, error=events.Trouble(code=event.error.code, message=""))
        case _:
            return event
