"""The records of a job. After loading, dicts are gone: this is what the rest of the program knows of a file.

Texts that may hold `{{ }}`, and expressions, stay text: `runner.template` parses them, once per text.
Times are seconds. Nothing here checks anything; `runner.job.rules` has done so before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from runner.values import Json, JsonObject


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


class Decode(StrEnum):
    AUTO = "auto"
    TEXT = "text"


class Until(StrEnum):
    STARTED = "started"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    max_attempts: int = 3
    initial: float = 1.0
    factor: float = 2.0
    max: float = 30.0
    jitter: float = 0.2
    on: frozenset[RetryOn] = frozenset({RetryOn.NOT_SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`that` is an expression; `message` a template for people, or None."""

    that: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaExpectation:
    """`result` must fit this JSON Schema."""

    schema: JsonObject | bool
    message: str | None = None


Expected: TypeAlias = Expectation | SchemaExpectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    process: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    result: str | None = None
    required: bool = False
    decode: Decode = Decode.AUTO
    until: Until = Until.STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """`uid` is a GUID or a template; `parameters` is None where the element is only executed."""

    uid: str
    parameters: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    items: tuple[Element, ...]


Action: TypeAlias = Execute | Element | Elements


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `line` is where it begins in its file.

    `follow` bounds following a process in the log: the step's own `timeout` where one is written, else 600 s.
    """

    id: str | None = None
    name: str | None = None
    help: str | None = None
    condition: str
    effect: StepEffect
    retry: Retry = Retry()
    timeout: float = 100.0
    follow: float = 600.0
    verify: Verify = Verify.AUTO
    expect: tuple[Expected, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False
    on_failure: OnFailure = OnFailure.STOP
    action: Action
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`schema` is the JSON Schema of the value, without `secret` and `default`; `required` where no default is."""

    name: str
    schema: JsonObject
    secret: bool = False
    required: bool = True
    default: Json = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`vars` are in the order in which they are worked out; `final_steps` are those under `finally`."""

    name: str
    file: str
    description: str | None = None
    help: str | None = None
    tags: tuple[str, ...] = ()
    target: str | None = None
    inputs: tuple[Input, ...] = ()
    vars: Mapping[str, Json] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    final_steps: tuple[Step, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
