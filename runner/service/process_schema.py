"""What ProcessSchemaRequest answers for a process, in the words of the language (`service/README.md`, Library).

Pure. Nothing odd is refused: what cannot be read is None or `unknown`, and a sentence says so.
"""

from collections.abc import Iterator

from runner.catalogue import design
from runner.catalogue.design import Signature
from runner.foundation.raw import record
from runner.foundation.values import Json, JsonObject, kind_of
from runner.service.bodies import NonsenseError, parsed

_CULTURE = "en-US"


def signature(answer: Json) -> Signature:
    if not isinstance(answer, dict):
        return Signature(odd=(f"the site's answer is {kind_of(answer)}",))
    schema, odd = _schema(record(answer.get("schema")).get("metaData"))
    captions = dict(_captions(record(record(answer.get("schema")).get("resources"))))
    return design.signature(schema, captions=captions, odd=odd)


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


def _captions(resources: JsonObject) -> Iterator[tuple[str, str]]:
    """Texts by the names of resources, each of a culture [?]: the first where the usual culture is missing."""
    for name, written in resources.items():
        texts = [text for text in record(written).values() if isinstance(text, str)]
        text = record(written).get(_CULTURE, texts[0] if texts else written)
        if isinstance(text, str) and text:
            yield name, text
