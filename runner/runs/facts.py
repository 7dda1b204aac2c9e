"""What of an event a run is resumed by: neither its sentences nor its evidence."""

import msgspec

from runner.runs import events
from runner.runs.status import Status

_NO_ROW_EVIDENCE = {each.name: None for each in msgspec.structs.fields(events.Row) if not each.required}
_RUN_EVIDENCE = (
    *("command", "rows", "tags", "description", "source", "dirty", "ci", "access", "traceparent", "rerun_of"),
    *("applied", "begun_by", "variables", "targets_file", "given", "unchecked"),
)
_NO_RUN_EVIDENCE = dict.fromkeys(_RUN_EVIDENCE)
_NO_WORDS = events.Trouble(code="", message="")


def _bare(row: events.Row) -> events.Row:
    return msgspec.structs.replace(row, name="", **_NO_ROW_EVIDENCE)


def facts(event: events.AnyEvent) -> events.AnyEvent:
    """`event` without its messages, its evidence and null fields, which another version may write in another way."""
    bare = _without_evidence(event)
    match bare:
        case events.AttemptFailed(kind="in_doubt") | events.StepFinished(status=Status.UNKNOWN):  # why: a sentence, too
            return msgspec.structs.replace(bare, error=None if bare.error is None else _NO_WORDS)
        case events.AttemptFailed() | events.LogUnreadable() | events.StepFinished() | events.RunFinished() if (
            bare.error
        ):
            return msgspec.structs.replace(bare, error=events.Trouble(code=bare.error.code, message=""))
        case _:
            return bare


def _without_evidence(event: events.AnyEvent) -> events.AnyEvent:
    match event:
        case events.RunStarted():
            return msgspec.structs.replace(event, **_NO_RUN_EVIDENCE)
        case events.CallSent():
            given = {name: value for name, value in event.call.items() if value is not None}
            return msgspec.structs.replace(event, request=None, delayed=None, call=given)
        case events.StepStarted(row=row):
            return msgspec.structs.replace(event, row=_bare(row))
        case events.StepSkipped(row=row):
            return msgspec.structs.replace(event, row=_bare(row), item=None)
        case events.AttemptFailed():
            return msgspec.structs.replace(event, by_hand=False)
        case events.StepFinished(checks=checks):
            mute = tuple(msgspec.structs.replace(check, message=None, differences=()) for check in checks)
            return msgspec.structs.replace(event, checks=mute, warnings=(), unverified=None, running=False, item=None)
        case events.UndoFinished() | events.RunFinished():  # follows from rows
            return msgspec.structs.replace(event, undo="")
        case _:
            return event
