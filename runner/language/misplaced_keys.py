"""Keys that are known, in records that stand a floor too high or too low: one mistake, however many keys it moves."""

from collections.abc import Collection

from runner.foundation.sentences import both
from runner.foundation.values import Json, JsonObject, Path
from runner.language.belongs import Language
from runner.language.wording import Mistake


def whole_file(written: JsonObject, missing: Collection[Json]) -> Mistake | None:
    """All keys of a file below one that should not be there, as in `job: {runner: 1, name: …}`."""
    (name, value), *more = written.items() or [("", None)]
    if more or not isinstance(value, dict) or not any(key in value for key in missing):
        return None
    hint = f"leave `{name}:` out, and indent what stands below it one level less"
    return Mistake(code="E104", message=f"`{name}` stands around the whole file", hint=hint, path=(name,), at_key=True)


def record(path: Path, written: JsonObject, language: Language) -> Mistake | None:
    """A record of our language among names that people choose: `auth` beside the targets to one of which it belongs."""
    if not path or not written:
        return None
    inner = language.property(language.at(path), str(path[-1])).get("properties")
    if not isinstance(inner, dict) or not all(key in inner for key in written):
        return None
    message = f"`{path[-1]}` stands among the names of `{path[-2]}`" if len(path) > 1 else f"`{path[-1]}` stands here"
    hint = "indent it further: it belongs in the record above it"
    return Mistake(code="E104", message=message, hint=hint, path=path, at_key=True)


def inputs_of_a_case(names: Collection[str], path: Path) -> Mistake:
    """What a case gives, written beside its name."""
    first, *more = names
    what = f"unknown key `{first}` in a case" if not more else f"{both(names)} are no keys of a case"
    inputs = ", ".join(f"{name}: …" for name in names)
    hint = f"what a case gives stands in its `inputs`: `inputs: {{{inputs}}}`"
    return Mistake(code="E104", message=what, hint=hint, path=(*path, first), at_key=True)
