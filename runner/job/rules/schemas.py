"""The JSON Schemas that a job holds, in its inputs and its expectations: each must be one."""

from runner.job.rules.texts import Texts
from runner.json_schema import schemas
from runner.values import Json, Path

_OF_KEYS = ("additionalProperties", "patternProperties", "propertyNames")
"""What is wrong is the key, not what stands behind it."""


def sound(schema: Json, path: Path, texts: Texts) -> bool:
    """Whether `schema` is a JSON Schema; what makes it none is reported where it stands."""
    flaws = schemas.flaws(schema)
    for flaw in flaws:
        at_key = flaw.keyword in _OF_KEYS
        texts.report("E115", flaw.message, (*path, *flaw.path), hint=flaw.hint, at_key=at_key)
    return not flaws
