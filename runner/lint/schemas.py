"""The JSON Schemas that a job holds, in its inputs and its expectations: each must be one."""

from runner.foundation.values import Json, Path
from runner.json_schema.doubts import doubts
from runner.json_schema.flaws import flaws
from runner.lint.texts import Texts


def sound(schema: Json, path: Path, texts: Texts) -> bool:
    """Whether `schema` is a JSON Schema; what makes it none is reported where it stands, and what is in doubt of it."""
    found = flaws(schema)
    for flaw in found:
        texts.report("E115", flaw.message, (*path, *flaw.path), hint=flaw.hint, at_key=flaw.at_key)
    reported = {flaw.path for flaw in found}
    for doubt in doubts(schema):
        if doubt.path not in reported:
            at = (*path, *doubt.path)
            texts.report("E115", doubt.message, at, hint=doubt.hint, at_key=doubt.at_key, warning=True)
    return not found
