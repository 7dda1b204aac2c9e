"""What ProcessSchemaRequest answers for a process, in the words of the language (`service/README.md`, Library).

Pure. Nothing odd is refused: what cannot be read is null or `unknown`, and a sentence says so.
"""

from collections.abc import Iterator

from runner.catalogue import design
from runner.foundation.raw import record
from runner.foundation.values import Json, JsonObject, kind_of
from runner.service.bodies import NonsenseError, parsed

_CULTURE = "en-US"


def signature(answer: Json) -> Json:
    """What a `ReadSchema` answers."""
    if not isinstance(answer, dict):
        return {"parameters": None, "elements": None, "odd": [f"the site's answer is {kind_of(answer)}"]}
    odd: list[Json] = []
    schema = _schema(answer, odd)
    captions = dict(_captions(record(record(answer.get("schema")).get("resources"))))
    return {**design.signature(schema, odd, captions=captions), "odd": odd}


def _schema(answer: JsonObject, odd: list[Json]) -> JsonObject:
    """The design of a process, in the metadata, which is JSON *text* [C]."""
    metadata = record(answer.get("schema")).get("metaData")
    if metadata is None or metadata == "":
        odd.append("the site gives no metadata of it")
        return {}
    if isinstance(metadata, str):
        try:
            metadata = parsed(metadata)
        except NonsenseError as error:
            odd.append(f"its metadata cannot be read: {error}")
            return {}
    schema = record(record(record(metadata).get("metaData")).get("schema"))
    if not schema:
        odd.append("its metadata holds no design")
    return schema


def _captions(resources: JsonObject) -> Iterator[tuple[str, str]]:
    """Texts by the names of resources, each of a culture [?]: the first where the usual culture is missing."""
    for name, written in resources.items():
        texts = [text for text in record(written).values() if isinstance(text, str)]
        text = record(written).get(_CULTURE, texts[0] if texts else written)
        if isinstance(text, str) and text:
            yield name, text
