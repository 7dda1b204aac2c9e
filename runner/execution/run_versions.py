"""Which version of its job a run is, and which runs are the same version under another name."""

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import Final

from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, UsageError
from runner.foundation.values import Json, JsonObject, record
from runner.ledger.model import AppliedVersion, Ledger, LedgerEntry
from runner.ledger.versions import files_of_version, version_digest
from runner.planning.plan import open_inputs
from runner.project.named_targets import name_of
from runner.reading.files import read_text
from runner.runs.events import TargetName
from runner.runs.evidence import ApplyOrigin
from runner.targets.model import SandboxTarget, Target
from runner.targets.resolve import resolve_url

_MOST_PAIRS: Final = 5000


def versions_of(runs: Sequence[RunSpec], *, key: str | None, base: Path) -> list[AppliedVersion]:
    """The version of each run; folders are relative to `base`, which is resolved. Raises `UsageError` for targets."""
    places: dict[Target, TargetName] = {}
    files: dict[str, tuple[Json, str]] = {}  # of each job, which may have thousands of cases
    for run in runs:
        if run.job.file not in files:
            folder = folder_name(Path(os.path.dirname(run.job.file)), base)  # noqa: PTH120  a path for each job
            files[run.job.file] = files_of_version(run.written), folder
    return [_version(run, _place(run.target, places), key, files[run.job.file]) for run in runs]


def folder_name(folder: Path, base: Path) -> str:
    """How the ledger names a folder, from any current folder."""
    return PurePath(os.path.relpath(os.path.realpath(folder), base)).as_posix()


def _place(target: Target, names: dict[Target, TargetName]) -> TargetName:
    """A target with its address as it is now: a site that has moved is another place."""
    if target not in names:
        url: str | Problem = ""
        if not isinstance(target, SandboxTarget):
            url = resolve_url(target, environment=os.environ, read_file=read_text)
        if isinstance(url, Problem):
            raise UsageError(url)
        names[target] = TargetName(name=target.name, url=url, sandbox=name_of(target).sandbox)
    return names[target]


def _version(run: RunSpec, place: TargetName, key: str | None, files: tuple[Json, str]) -> AppliedVersion:
    case = run.case.name if run.case else None
    return AppliedVersion(
        digest=version_digest(files[0], inputs=_inputs_of_version(run), case=case, target=place, key=key),
        job=run.job.name,
        case=case,
        target=place.name,
        url=place.url,
        folder=files[1],
        key=key,
    )


def _inputs_of_version(run: RunSpec) -> JsonObject:
    secrets = {declared.name: "***" for declared in run.job.inputs if declared.secret}
    return {**open_inputs(run.job, run.inputs), **secrets}  # whether or not this machine has them


def renamed(
    new: Mapping[AppliedVersion, RunSpec], gone: Sequence[LedgerEntry], *, ledger: Ledger
) -> dict[str, LedgerEntry]:
    """The version under another name that did the same and has passed, by the digest of a new version."""
    pairs = (
        (version, run, entry)
        for version, run in new.items()
        for entry in gone
        if (entry.version.url, entry.version.key) == (version.url, version.key) and _is_near(entry.version, version)
    )
    found = [(_digest_of(version, run, entry), version.digest) for version, run, entry in islice(pairs, _MOST_PAIRS)]
    known = ledger.find({digest for digest, _ in found})
    return {new: known[digest] for digest, new in found if digest in known and known[digest].has_passed}


def _is_near(former: AppliedVersion, version: AppliedVersion) -> bool:
    """Whether it may be the same under one other name: of the job, of its case, or of its target."""
    if former.target != version.target:
        return former.name == version.name
    return former.job == version.job or former.case == version.case


def _digest_of(version: AppliedVersion, run: RunSpec, entry: LedgerEntry) -> str:
    """The digest of the version if it had the name of the other."""
    own = next(iter(run.written))
    files = files_of_version({**run.written, own: {**record(run.written[own]), "name": entry.version.job}})
    place = TargetName(name=entry.version.target, url=version.url, sandbox=not version.url)
    case = entry.version.case
    return version_digest(files, inputs=_inputs_of_version(run), case=case, target=place, key=version.key)


def apply_origin(
    spec: RunSpec, version: AppliedVersion, *, ledger: str, fleet: str | None = None, targets: Path | None = None
) -> ApplyOrigin:
    """What the events of a run say of the `apply` that ordered it."""
    file = None if targets is None else str(targets)
    return ApplyOrigin(ledger=ledger, fleet=fleet, for_key=version.key, targets=file, inputs=spec.inputs_as_given())
