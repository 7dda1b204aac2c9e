"""The JSON Schemas that a job holds, in its inputs and its expectations: each must be one."""

from runner.foundation.values import Json, Path
from runner.json_schema import schemas
from runner.json_schema.keywords import place
from runner.json_schema.violations import Violation
from runner.lint.texts import Texts

_OF_KEYS = ("additionalProperties", "patternProperties", "propertyNames")
"""What is wrong is the key, not what stands behind it."""


def sound(schema: Json, path: Path, texts: Texts) -> bool:
    """Whether `schema` is a JSON Schema; what makes it none is reported where it stands, and what is in doubt of it."""
    flaws = schemas.flaws(schema)
    for flaw in flaws:
        texts.report("E115", _said(flaw), (*path, *flaw.path), hint=flaw.hint, at_key=flaw.keyword in _OF_KEYS)
    told = {flaw.path for flaw in flaws}
    for doubt in schemas.doubts(schema):
        if doubt.path not in told:
            at = (*path, *doubt.path)
            texts.report("E115", doubt.message, at, hint=doubt.hint, at_key=doubt.at_key, warning=True)
    return not flaws


def _said(flaw: Violation) -> str:
    """The sentence, with the keyword behind which the flaw stands where the sentence does not name it."""
    keyword = flaw.path[-1] if flaw.path else None
    is_named = place(flaw.path) != "keyword" or keyword == "type" or f"`{keyword}" in flaw.message
    return flaw.message if is_named else f"`{keyword}`: {flaw.message}"
