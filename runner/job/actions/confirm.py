"""`confirm`: a person says yes, or the step fails."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from runner.expressions.typed import A_BOOLEAN
from runner.foundation.values import sure_text
from runner.job.actions.action import PROCESS_NAMES, ActionType, always
from runner.job.model import Show, StepEffect


class Confirm(Struct, frozen=True, kw_only=True):
    """`text` is a template."""

    kind: ClassVar[str] = "confirm"
    text: str

    @property
    def title(self) -> str:
        return "Ask a person"

    def preview(self, show: Show) -> Iterator[str]:
        yield f"ask {show(self.text)}"


CONFIRM = ActionType(
    key=Confirm.kind,
    build=lambda value, _: Confirm(text=sure_text(value)),
    effect=always(StepEffect.READ),
    is_template=True,
    has_attempts=False,
    own_time=True,
    result=lambda _value, _process: A_BOOLEAN,
    never_gives=PROCESS_NAMES,
)
