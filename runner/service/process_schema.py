"""What ProcessSchemaRequest answers for a process, in the words of the language (`service/README.md`, Library). Pure.

What cannot be read is None or `unknown`, with a message.
"""

from collections.abc import Iterator

from runner.catalogue import design
from runner.catalogue.design import Signature
from runner.foundation.values import Json, JsonObject, kind_of, record
from runner.service.bodies import NonsenseError, parsed

_CULTURE = "en-US"


def signature(answer: Json) -> Signature:
    if not isinstance(answer, dict):
        return Signature(odd=(f"the site's answer is {kind_of(answer)}",))
    schema, odd = _schema(record(answer.get("schema")).get("metaData"))
    captions = dict(_captions(record(record(answer.get("schema")).get("resources"))))
    firsts = {name: texts[0] for name, texts in captions.items()}
    others = {name: tuple(texts[1:]) for name, texts in captions.items()}
    return design.signature(schema, captions=firsts, others=others, odd=odd)


def _schema(metadata: Json) -> tuple[JsonObject, tuple[str, ...]]:
    """The design of a process, in the metadata, which is JSON *text* [C], and what is wrong with that."""
    if metadata is None or metadata == "":
        return {}, ("the site gives no metadata of it",)
    if isinstance(metadata, str):
        try:
            metadata = parsed(metadata)
        except NonsenseError as error:
            return {}, (f"its metadata cannot be read: {error}",)
    schema = record(record(record(metadata).get("metaData")).get("schema"))
    return schema, () if schema else ("its metadata holds no design",)


def _captions(resources: JsonObject) -> Iterator[tuple[str, list[str]]]:
    """Texts by the names of resources, each of a culture [?]: that of the usual culture first, each once."""
    for name, written in resources.items():
        by_culture = record(written)
        texts = [by_culture.get(_CULTURE), *by_culture.values(), written]
        if found := [*dict.fromkeys(text for text in texts if isinstance(text, str) and text)]:
            yield name, found
