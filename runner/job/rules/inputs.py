"""What a schema cannot say of a job's inputs: that each is a JSON Schema, and that its default fits it."""

from runner.job.outline import schema_of
from runner.job.rules.schemas import as_wanted, sound
from runner.job.rules.texts import Texts
from runner.json_schema import schemas
from runner.values import JsonObject, Path


def check_inputs(texts: Texts) -> None:
    for name, written in texts.known.inputs.items():
        path: Path = ("inputs", name)
        texts.plain(written, path)
        if isinstance(written, dict) and sound(schema_of(written), path, texts) and "default" in written:
            _default(written, path, texts)
    _names_in_the_environment(texts)


def _default(written: JsonObject, path: Path, texts: Texts) -> None:
    default = written["default"]
    is_secret = written.get("secret") is True
    if is_secret:
        message = f"`{path[-1]}` is secret, but its default stands here for everybody to read"
        hint = "leave the default out: the value can come from the environment or a file"
        texts.report("E107", message, (*path, "default"), hint=hint, warning=True, hidden=True)
    if isinstance(default, str) and "{{" in default:
        return  # that no template is read here has been told
    for violation in schemas.from_job(schema_of(written)).violations(default):
        why = f"its `{violation.keyword}`" if is_secret else violation.message
        message = f"the default does not fit{' ' if is_secret else ': '}{why}"
        wanted = None if is_secret else as_wanted(violation)
        texts.report("E116", message, (*path, "default", *violation.path), hint=wanted, hidden=is_secret)


def _names_in_the_environment(texts: Texts) -> None:
    first: dict[str, str] = {}
    for name in texts.known.inputs:
        earlier = first.setdefault(name.upper(), name)
        if earlier != name:
            message = f"in the environment, `{name}` and `{earlier}` are one: CREATIO_RUNNER_INPUT_{name.upper()}"
            texts.report("E111", message, ("inputs", name), at_key=True, hint="give one of them another name")
