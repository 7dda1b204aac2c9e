"""`element` and `elements`: execute an element of a running process, or complete it with values; several in a chain."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.sentences import plural
from runner.foundation.values import Json, JsonObject, items, record, sure_text
from runner.job.actions.action import EVERY, MAX_EVERY, PROCESS_NAMES, ActionType, pauses
from runner.job.model import Job, Show, StepEffect, show_parameters


class ElementName(Struct, frozen=True, kw_only=True):
    """An element of a running process by its name. Looks grow from `every` to `max_every` seconds."""

    of: str  # the process's id, or a template
    name: str  # a caption, code or id of the design, or a template
    every: float = EVERY
    max_every: float = MAX_EVERY


class Element(Struct, frozen=True, kw_only=True):
    """Executes an element, or completes it with `parameters`."""

    kind: ClassVar[str] = "element"
    which: str | ElementName  # its id (a GUID or a template), or how it is found
    parameters: Mapping[str, Json] | None = None

    @property
    def title(self) -> str:
        name = self.which if isinstance(self.which, str) else self.which.name
        return "Execute an element" if "{{" in name else f"Execute element {name}"

    def preview(self, show: Show) -> Iterator[str]:
        which = self.which
        named = show(which) if isinstance(which, str) else f"{show(which.name)} of process {show(which.of)}"
        yield f"element {named}"
        yield from show_parameters(self.parameters or {}, show)


class Elements(Struct, frozen=True, kw_only=True):
    kind: ClassVar[str] = "elements"
    items: tuple[Element, ...]

    @property
    def title(self) -> str:
        return f"Execute a chain of {plural(len(self.items), 'element')}"

    def preview(self, show: Show) -> Iterator[str]:
        for item in self.items:
            yield from item.preview(show)


def links(value: Json) -> list[Json]:
    """The elements of an `element` or `elements`: ids or names, or records of these and parameters."""
    if isinstance(value, dict) and isinstance(value.get("chain"), list):
        value = value["chain"]
    return value if isinstance(value, list) else [value]


def _element(value: Json, _: Job | None = None) -> Element:
    if not isinstance(value, dict):
        return Element(which=sure_text(value))
    which = sure_text(value["uid"]) if "uid" in value else _name(value, value)
    return Element(which=which, parameters=_parameters(value))


def _elements(value: Json, _: Job | None) -> Elements:
    """Each element of a chain is found in the instance that the chain is `of`."""
    if not isinstance(value, dict):
        return Elements(items=tuple(_element(item) for item in items(value)))
    chain: list[JsonObject] = [link if isinstance(link, dict) else {"name": link} for link in items(value["chain"])]
    return Elements(items=tuple(Element(which=_name(value, link), parameters=_parameters(link)) for link in chain))


def _name(whole: JsonObject, link: JsonObject) -> ElementName:
    every, max_every = pauses(whole)
    return ElementName(of=sure_text(whole["of"]), name=sure_text(link["name"]), every=every, max_every=max_every)


def _parameters(value: JsonObject) -> JsonObject | None:
    parameters = value.get("parameters")
    return None if parameters is None else record(parameters)


def _effect(value: Json) -> StepEffect:
    with_values = any("parameters" in record(item) for item in links(value))
    return StepEffect.ONCE if with_values else StepEffect.IDEMPOTENT


ELEMENT = ActionType(
    key=Element.kind,
    build=_element,
    effect=_effect,
    templates=frozenset({"of", "name", "uid", "parameters"}),
    is_template=True,
    durations=("every", "max_every"),
    is_verified=True,
    never_gives=PROCESS_NAMES,
)
ELEMENTS = replace(ELEMENT, key=Elements.kind, build=_elements)
