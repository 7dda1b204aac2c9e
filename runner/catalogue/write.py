"""Writes a catalogue as the text of its file: sorted, the same for the same site, without secrets."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from runner.catalogue.model import Catalogue, Kind, Parameter, Process, ProcessElement, ProcessVersion
from runner.foundation.values import Json, JsonObject, as_yaml, yaml_flow, yaml_quoted

OF_SITE: Final = """\
# What the site has, as far as jobs need to know it. `runner catalog pull` writes this file, and leaves it as it is
# where the site has not changed. It holds no secret: commit it.
"""
OF_PACKAGES: Final = """\
# What the packages hold, as far as jobs need to know it. `runner catalog build` writes this file, and leaves it as it
# is where the packages have not changed. It holds no secret: commit it.
"""


def catalogue_text(catalogue: Catalogue) -> str:
    head = OF_PACKAGES if catalogue.packages else OF_SITE
    return head + "".join(f"{line}\n" for line in _lines(catalogue))


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield "runner: 1"
    yield f"packages: {yaml_flow([*catalogue.packages])}" if catalogue.packages else f"site: {as_yaml(catalogue.site)}"
    if catalogue.pulled is not None:
        yield f"pulled: {{at: {yaml_quoted(catalogue.pulled.at)}, by: {as_yaml(catalogue.pulled.by)}}}"
    yield "processes:" if catalogue.processes else "processes: {}"
    for code in sorted(catalogue.processes):
        yield from _process(catalogue.processes[code])


def _process(process: Process) -> Iterator[str]:
    yield f"  {as_yaml(process.code)}:"
    fields: JsonObject = {
        "version": process.version,
        "traced": process.traced,
        "runnable": process.why_not is None,
        "why_not": process.why_not,
        "unread": process.unread,
    }
    yield f"    caption: {as_yaml(process.caption)}"
    yield from (f"    {key}: {yaml_flow(value)}" for key, value in fields.items() if value is not None)
    if process.members:
        yield from _block("members", ((member.code, _member(member)) for member in process.members))
    if process.parameters is not None:
        yield from _block(
            "parameters", ((code, _parameter(given)) for code, given in sorted(process.parameters.items()))
        )
    if process.elements is not None:  # in their own order: that in which the process comes to them
        yield from _block("elements", ((element.uid, _element(element)) for element in process.elements))


def _block(key: str, entries: Iterable[tuple[str, Mapping[str, Json]]]) -> Iterator[str]:
    lines = [f"      {as_yaml(name)}: {yaml_flow(fields)}" for name, fields in entries]
    yield f"    {key}:" if lines else f"    {key}: {{}}"
    yield from lines


def _member(member: ProcessVersion) -> JsonObject:
    """What is not known is left out."""
    fields = {"uid": member.uid, "version": member.version, "active": member.active, "enabled": member.enabled}
    return {key: value for key, value in fields.items() if value is not None}


def _parameter(parameter: Parameter) -> JsonObject:
    fields: JsonObject = {"type": str(parameter.kind), "direction": str(parameter.direction)}
    if parameter.items or parameter.kind is Kind.RECORDS:
        fields["items"] = {name: str(kind) for name, kind in sorted(parameter.items.items())}
    if parameter.lookup is not None:
        fields["lookup"] = parameter.lookup
    return fields | ({"caption": parameter.caption} if parameter.caption else {})


def _element(element: ProcessElement) -> JsonObject:
    fields: JsonObject = {"name": element.name}
    if element.caption:
        fields["caption"] = element.caption
    if element.also:
        fields["also"] = [*element.also]
    return {**fields, "type": element.kind}
