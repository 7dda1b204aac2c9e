"""The parameters of a call, worked out when it is about to be made."""

from collections.abc import Mapping

from runner.engine.state import OpenRow, State
from runner.expressions.evaluate import Room
from runner.foundation.values import Json, JsonObject


def parameters_of(state: State, row: OpenRow, written: Mapping[str, Json]) -> JsonObject:
    """Values by code; a null leaves its parameter out. Raises `EvaluationError`.

    Who writes null means it. A template that gives null may be a mistake, so the row tells of it.
    """
    values = within(state, row, written, Room("the parameters of this call"))
    row.warnings = tuple(
        f"parameter `{name}` is left out: its template gives null"
        for name, value in values.items()
        if value is None and written[name] is not None
    )
    return {name: value for name, value in values.items() if value is not None}


def within(state: State, row: OpenRow, written: Mapping[str, Json], room: Room) -> JsonObject:
    """Values by name, worked out. Raises `EvaluationError`, also where they come to more than there is room for."""
    return {name: state.names.value(value, f"{row.key}.{name}", room) for name, value in written.items()}
