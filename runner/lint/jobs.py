"""What no file of a job says by itself: names of several jobs, and targets."""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import record
from runner.foundation.suggestions import did_you_mean
from runner.reading.document import Document


def names_unique(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """Jobs of a command that have the same name: the problem is in the second."""
    first: dict[str, str] = {}
    found = []
    for document in documents:
        name = record(document.data).get("name")
        if isinstance(name, str) and first.setdefault(name, document.file) != document.file:
            message = f"two jobs are called `{name}`: here and in {first[name]}"
            found.append(document.problem("E111", message, path=("name",), hint="give one of them another name"))
    return tuple(found)


def target_known(
    document: Document, targets: Collection[str], *, searched: str = "", is_used: bool = True
) -> tuple[Problem, ...]:
    """The job's `target` is in `targets`; a job without a target is fine.

    `searched` says where a targets file was searched for, if there is none. A near miss is hint enough. Where the
    command names other targets, so that the job's own is not used, a near miss is a warning, and all else may be the
    name of a target in another file.
    """
    name = record(document.data).get("target")
    if not isinstance(name, str) or name in targets:
        return ()
    hint = did_you_mean(name, targets)
    if not is_used and hint is None:
        return ()
    if name == "env" or name.startswith("clio:"):
        hint = f"leave it out: a target that is in no targets file is named on the command line alone, `-t {name}`"
    if hint is None:
        listed = ", ".join(f"`{target}`" for target in sorted(targets))
        known = f"the targets are {listed}" if targets else "there are no targets"
        as_url = "write the name of a target: its `url` is under this name in targets.yaml"
        hint = "; ".join(filter(None, (as_url if "://" in name else known, searched)))
    unknown = document.problem("E141", f"unknown target `{name}`", path=("target",), hint=hint)
    return (unknown if is_used else replace(unknown, severity=Severity.WARNING),)
