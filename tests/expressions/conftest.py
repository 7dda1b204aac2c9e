"""What the tests of this room share: an expression worked out over made-up names."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from runner.expressions.errors import EvaluationError
from runner.expressions.evaluate import Scope, evaluate, render_value
from runner.expressions.parse import expression
from runner.foundation.values import Json

WorkedOut: TypeAlias = Callable[..., Json]


@pytest.fixture
def worked_out() -> WorkedOut:
    """The value of an expression over the names given as keywords."""

    def work_out(text: str, **names: Json) -> Json:
        return evaluate(expression(text), Scope(names=names, functions={"uuid": lambda label: f"uuid of {label}"}))

    return work_out


@pytest.fixture
def refused(worked_out: WorkedOut) -> Callable[..., EvaluationError]:
    """The error of an expression that cannot be worked out."""

    def refuse(text: str, **names: Json) -> EvaluationError:
        with pytest.raises(EvaluationError) as caught:
            worked_out(text, **names)
        return caught.value

    return refuse


@pytest.fixture
def rendered() -> WorkedOut:
    """A value whose texts are templates, rendered over the names given as keywords."""

    def render(value: Json, **names: Json) -> Json:
        return render_value(value, Scope(names=names))

    return render
