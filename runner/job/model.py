"""The records of a job, in place of dicts: checked, in seconds, with templates and expressions as texts."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias

from msgspec import Struct, field

from runner.foundation.values import Json, JsonObject

CLEANUP_SECONDS = 300.0
FOLLOW_SECONDS = 600.0


class StepEffect(StrEnum):
    """What a step may do to the site: the licence to repeat it, or not."""

    ONCE = "once"
    IDEMPOTENT = "idempotent"
    READ = "read"


class RetryOn(StrEnum):
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    EXPECTATION = "expectation"


class Verify(StrEnum):
    AUTO = "auto"
    LOG = "log"
    NONE = "none"


class OnFailure(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"
    IGNORE = "ignore"


class Until(StrEnum):
    STARTED = "started"
    DONE = "done"


class Retry(Struct, frozen=True, kw_only=True):
    max_attempts: int = 3
    initial: float = 1.0
    factor: float = 2.0
    max: float = 30.0
    jitter: float = 0.2
    on: frozenset[RetryOn] = frozenset({RetryOn.NOT_SENT})


class Expectation(Struct, frozen=True, kw_only=True, gc=False):
    """`that` is an expression; `message` a template for people, or None."""

    that: str
    message: str | None = None


class SchemaExpectation(Struct, frozen=True, kw_only=True):
    """`result` must fit this JSON Schema."""

    schema: JsonObject | bool
    message: str | None = None


Expected: TypeAlias = Expectation | SchemaExpectation


Show: TypeAlias = Callable[[Json], str]
"""How a value reads before the run: what is known is worked out, the rest stays as its source."""


class Action(Protocol):
    """What a step does: a record of `runner.job.actions`. `preview` says it line by line."""

    kind: ClassVar[str]  # its key in the file

    @property
    def title(self) -> str: ...

    def preview(self, show: Show, /) -> Iterator[str]: ...


def show_values(values: Mapping[str, Json], show: Show) -> Iterator[str]:
    """A part of a preview: parameters, inputs, columns."""
    return (f"  {name} = {show(value)}" for name, value in values.items())


def show_parameters(values: Mapping[str, Json], show: Show) -> Iterator[str]:
    """The same of parameters: null leaves a parameter out."""
    return show_values({name: value for name, value in values.items() if value is not None}, show)


class Undo(Struct, frozen=True, kw_only=True):
    """What takes a passed step back, in order. `alone`: written as an action, so that its row has no id of its own."""

    steps: "tuple[Step, ...]"
    alone: bool


class Step(Struct, frozen=True, kw_only=True, gc=False):
    """A step."""

    id: str | None = None
    name: str | None = None
    help: str | None = None
    condition: str
    effect: StepEffect
    retry: Retry = Retry()
    timeout: float | None = None  # of an attempt
    follow: float = FOLLOW_SECONDS  # bounds following its process
    verify: Verify = Verify.AUTO
    expect: tuple[Expected, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False
    on_failure: OnFailure = OnFailure.STOP
    action: Action
    for_each: "str | list[Json] | None" = None  # an expression, or a list with templates
    undo: Undo | None = None
    line: int  # where it begins in its file


class Input(Struct, frozen=True, kw_only=True):
    """`schema` is the JSON Schema of the value, without `secret` and `default`; `required` where no default is."""

    name: str
    schema: JsonObject
    secret: bool = False
    required: bool = True
    default: Json = None
    description: str | None = None


class Case(Struct, frozen=True, kw_only=True):
    name: str
    inputs: JsonObject


class Job(Struct, frozen=True, kw_only=True):
    """A job, with times in active seconds."""

    name: str
    file: str
    description: str | None = None
    help: str | None = None
    tags: tuple[str, ...] = ()
    target: str | None = None
    timeout: float | None = None  # of the steps
    cleanup_timeout: float = CLEANUP_SECONDS  # of undo and `finally`
    concurrency: str | None = None  # a lock at the site
    needs: tuple[str, ...] = ()  # jobs that `apply` lets pass first
    inputs: tuple[Input, ...] = ()
    cases: tuple[Case, ...] | None = None  # None: a single run
    vars: Mapping[str, Json] = field(default_factory=dict)  # in the order of evaluation
    steps: tuple[Step, ...] = ()
    final_steps: tuple[Step, ...] = ()  # under `finally`
    outputs: Mapping[str, str] = field(default_factory=dict)
    moments: frozenset[str] = frozenset()  # steps since which a `failures` counts, and `SINCE_RUN`
