"""Which answers of a run nobody knows any more, since they were secret: who needs them cannot be resumed."""

from typing import TypeGuard

from msgspec import Struct

from runner.foundation.values import Json, JsonObject
from runner.runs.events import CallAnswered, Row
from runner.runs.safe_events import has_learnt_secret

SECRET_VALUE: Json = {"$secret": True}  # what is stored of an answer, or of a result, that is secret as a whole
BY_HAND = "look on the site how it ended: this run cannot be resumed"


class HiddenAnswer(Struct, frozen=True, kw_only=True):
    """The answer of the row `key`. Not `is_certain`: perhaps nothing in the job needs it."""

    key: str
    is_certain: bool


def has_secret_results(value: Json) -> TypeGuard[JsonObject]:
    """Whether a value is the answer to a `run` with secret results."""
    return isinstance(value, dict) and value.get("results") == SECRET_VALUE


def hidden_answer(event: CallAnswered, row: Row) -> HiddenAnswer | None:
    """What is missing of the answer, and may be needed, if anything. The answer to a `run` also names its process."""
    is_whole = event.value == SECRET_VALUE
    is_of_result = row.kind == "execute" or (row.kind == "run" and not is_whole)
    if is_of_result and row.effect == "once" and not row.needs_result:
        return None
    if not is_whole and not has_secret_results(event.value) and not has_learnt_secret(event.value):
        return None
    return HiddenAnswer(key=row.key, is_certain=not is_of_result or row.needs_result)
