"""What a version of a job is: a digest of all that decides what is done.

It is the same on every machine: comments, layout, texts for people, tags, needs, names of files and folders, names of
included jobs, links, and secrets do not count.
"""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from runner.foundation import durations
from runner.foundation.lazy import lazy_pattern
from runner.foundation.site_key import normalized_url
from runner.foundation.values import Json, JsonObject, digest, items, record
from runner.runs.events import TargetName

_NOT_OF_A_VERSION = frozenset({"description", "help", "tags", "needs", "target", "cases"})
"""Keys of a job. Its target, and the values of its case, are part of the version by themselves."""
_NOT_OF_AN_INPUT = frozenset({"description", "default"})
"""Keys of an input of the job itself: its value is part of the version, whoever gave it."""
_TEXTS_OF_A_STEP = frozenset({"help", "name"})
_DURATIONS = frozenset({"timeout", "cleanup_timeout", "every", "max_every", "initial", "max", "pause"})
_HANDED_ON = frozenset({"parameters", "values", "inputs", "vars", "outputs", "for_each", "schema"})
_TEXTS_OF_AN_EXPECTATION = frozenset({"message"})


_OF_TIME = lazy_pattern(r"every (\S+) s: (\d{4}-\d\d-\d\d)T(\d\d:\d\d)\S*Z")
_UNITS = ((3600, "h"), (60, "m"))


def version_digest(files: Json, *, inputs: JsonObject, case: str | None, target: TargetName, key: str | None) -> str:
    """The digest of a version, 64 hexadecimal digits, without secrets and a sandbox's address. `key`: of `--for`."""
    whole: Json = {
        "files": files,
        "inputs": inputs,
        "case": case,
        "target": [target.name, None if target.sandbox else normalized_url(target.url)],
        "key": key,
    }
    return digest(whole)


def key_of_time(seconds: float, *, now: float) -> str:
    """The key of the stretch of so many seconds that `now` is in, counted from 1970: the same for all who ask in it."""
    first = datetime.fromtimestamp(now // seconds * seconds, UTC)
    return f"every {seconds:g} s: {first:%Y-%m-%dT%H:%M:%S.%f}Z"


def key_in_words(key: str) -> str:
    """The key as a person reads it."""
    found = _OF_TIME.fullmatch(key)
    if found is None:
        return key
    seconds = float(found[1])
    size, unit = next((each for each in _UNITS if seconds % each[0] == 0), (1, "s"))
    return f"every {seconds / size:g}{unit}, since {found[2]} {found[3]} UTC"


def _in_seconds(data: Json) -> Json:
    """The same with durations in seconds, so that `1m` is `60s`; what the job hands on stays as it is."""
    match data:
        case list():
            return [_in_seconds(each) for each in data]
        case dict():
            return {key: each if key in _HANDED_ON else _seconds(key, each) for key, each in data.items()}
        case _:
            return data


def _seconds(key: str, value: Json) -> Json:
    found = durations.seconds(value) if key in _DURATIONS and isinstance(value, str) else None
    return _in_seconds(value) if found is None else found


def files_of_version(written: Mapping[str, Json]) -> Json:
    """What is part of a version of `written`, which has the job's files, its own first.

    An included job is in the place of its path, without its name: whoever moves or renames it changes nothing.
    """
    files = {os.path.realpath(name): data for name, data in written.items() if name}

    def version_of(name: str, data: Json, *, is_included: bool) -> Json:
        def included(file: str) -> Json:
            path = os.path.realpath(os.path.join(os.path.dirname(name), file))  # noqa: PTH118, PTH120  as `realpath`
            return version_of(path, files[path], is_included=True) if path in files else file

        job = _without_texts(data, included, left_out={"description"} if is_included else _NOT_OF_AN_INPUT)
        return _in_seconds({key: value for key, value in job.items() if not (is_included and key == "name")})

    own = next(iter(written))
    return version_of(own, written[own], is_included=False)


def _without_texts(data: Json, included: Callable[[str], Json], *, left_out: Collection[str]) -> JsonObject:
    """`left_out` are keys of inputs."""
    job = {key: value for key, value in record(data).items() if key not in _NOT_OF_A_VERSION}
    for section in ("steps", "finally"):
        if section in job:
            job[section] = [_step(step, included) for step in items(job[section])]
    if "inputs" in job:
        described = record(job["inputs"]).items()
        job["inputs"] = {
            name: {key: value for key, value in record(declared).items() if key not in left_out}
            for name, declared in described
        }
    return job


def _step(step: Json, included: Callable[[str], Json]) -> Json:
    fields = {key: value for key, value in record(step).items() if key not in _TEXTS_OF_A_STEP}
    if isinstance(fields.get("expect"), list):
        fields["expect"] = [_expectation(each) for each in items(fields["expect"])]
    action = record(fields.get("job"))
    if isinstance(file := action.get("file"), str):
        fields["job"] = {**action, "file": included(file)}
    match fields.get("undo"):
        case list() as steps:
            fields["undo"] = [_step(each, included) for each in steps]
        case dict() as each:
            fields["undo"] = _step(each, included)
        case _:
            pass
    return fields


def _expectation(written: Json) -> Json:
    """An expectation without its message. Without anything else it is the same as its condition alone."""
    if not isinstance(written, dict):
        return written
    rest: dict[str, Json] = {key: value for key, value in written.items() if key not in _TEXTS_OF_AN_EXPECTATION}
    return rest["that"] if rest.keys() == {"that"} else rest
