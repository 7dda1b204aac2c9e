"""What `runner init --deploy` writes: files of other tools that carry out a folder's jobs with `runner apply`.

`deploy_files/` has the templates, `specs/deploy` in the repository shows them filled in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import TypeAlias

from msgspec import Struct

from runner.catalogue.model import ENDING
from runner.foundation.git import main_branch_of
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import joined_by_and, plural
from runner.foundation.values import Json, record
from runner.job.inputs import VARIABLE
from runner.project.job_files import JobFile
from runner.project.paths import JOB_FILES
from runner.project.project import Project, open_project
from runner.reading.files import display_path as path_name
from runner.reports.safe import clean
from runner.scaffold.deploy_kinds import DeployKind, deploy_kinds
from runner.scaffold.new_files import NewFile, write_files
from runner.targets.files import NAME
from runner.targets.model import SiteTarget
from runner.targets.resolve import files_of, variables_of
from runner.terminal import output
from runner.version import VERSION

_TEMPLATES = Path(__file__).parent / "deploy_files"
_MARK = lazy_pattern(r"@([A-Z_]+)@")
_INCLUDED = lazy_pattern(r"(?m)^( *)@include (\S+)@\n")
_FOLDER = lazy_pattern(r"[A-Za-z0-9._/-]+")
_TARGET = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_IMAGE = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._/:-]*")
_SECRET = lazy_pattern(r"[a-z0-9][a-z0-9.-]*")
_NOT_IN_A_NAME = lazy_pattern(r"[^A-Za-z0-9._/-]+")
_NO_LABEL = lazy_pattern(r"[^a-z0-9]+")
_USUAL_TARGET = "staging"
_USUAL_VARIABLES = ("CREATIO_USERNAME", "CREATIO_PASSWORD")
TOP = "kustomization.yaml"
SiteVariables: TypeAlias = Mapping[str, Sequence[str]]
"""The sites, each with the environment variables that hold its credentials."""


class JobFolder(Struct, frozen=True, kw_only=True):
    """The jobs that are to be carried out."""

    files: tuple[str, ...]  # all that they read in the folder
    elsewhere: tuple[str, ...]  # jobs that read others
    sites: Mapping[str, tuple[str, ...]]  # of the targets file, with their variables
    secret_files: Mapping[str, Sequence[str]]  # what each site reads
    protected: tuple[str, ...]  # targets
    lacking: Mapping[str, Sequence[str]]  # inputs to be given, with their jobs
    secret_inputs: frozenset[str]  # those of them that nobody stores
    without_target: int  # how many jobs name none
    with_target: int


def deploy(
    kind_name: str, folder: Path, *, root: Path, only: Sequence[str], image: str | None, secret: str | None
) -> None:
    """Write the files of a kind of `DEPLOY_KINDS`, and print what is left to do. Raises `UsageError`.

    They are for the targets `only`, or all sites in targets.yaml; `root` is that of the checkout.
    """
    kind, called = deploy_kinds()[kind_name], folder.resolve().relative_to(root).as_posix()
    jobs = _job_folder(folder, needs_targets=kind.reads_folder)
    names = tuple(dict.fromkeys(only)) or tuple(jobs.sites) or (_USUAL_TARGET,)
    lacking = [name for name in jobs.lacking if name in jobs.secret_inputs or not kind.has_workers]
    given = tuple(f"{VARIABLE}{name.upper()}" for name in lacking)
    targets = {name: (*(jobs.sites.get(name) or _USUAL_VARIABLES), *given) for name in names}
    image = image or "ghcr.io/OWNER/creatio-runner"
    secret = secret or "creatio-runner-db"
    for word, pattern, what in (
        (called, _FOLDER, "the folder"),
        *((target, _TARGET, "the target") for target in targets),
        (image, _IMAGE, "the image"),
        (secret, _SECRET, "the Secret"),
    ):
        if pattern.fullmatch(word) is None:
            message = f"{what} `{clean(word)}` has characters that files of other tools do not take"
            raise UsageError(Problem(code="E150", message=message, hint="use letters, digits, `.`, `_` and `-`"))
    branch = main_branch_of(folder)
    own = {  # repositories that share a database must not share what they have applied
        "FLEET": _NOT_IN_A_NAME.sub("-", f"{root.name}/{called}".removesuffix("/.")).strip("-/") or "jobs",
        "BRANCH": branch if branch is not None and _FOLDER.fullmatch(branch) else "main",
    }
    marks = _marks(called, image=image, secret=secret) | own | _lists(kind, jobs, targets, named=bool(only))
    files = list(deploy_files(kind, folder, marks, targets))
    left = write_files(files)
    differ = [file.path for file in files if file.path in left and file.path.read_text("utf-8") != file.text]
    lines = [*_files_to_compare(kind, folder, differ), *_to_do(kind, marks, targets, jobs, is_root=called == ".")]
    output.data("\nto do, at the root of the checkout:\n" + "".join(f"  {line}\n" for line in lines))
    output.data(f"\nnext: {_filled(kind.next, marks)}\n")


def _opened(folder: Path) -> Project:
    """Raises `UsageError` where there is no job, and where jobs have mistakes."""
    project = open_project([folder], targets=None, environment={}) if folder.is_dir() else None
    if project is None or not (project.files or project.errors):
        hint = f"name the folder of the jobs, or start a project there: `runner init {clean(str(folder))}`"
        if (job := next(folder.rglob(JOB_FILES), None)) is not None:
            hint = f"its jobs are below it, and these files are for one folder: name `{clean(path_name(job.parent))}`"
        raise UsageError(Problem(code="E100", message=f"there is no job in `{clean(str(folder))}`", hint=hint))
    if project.errors:
        raise UsageError(*project.errors)
    return project


def _job_folder(folder: Path, *, needs_targets: bool) -> JobFolder:
    """Raises `UsageError` as `_opened` does, and where `targets.yaml` is above the jobs."""
    project = _opened(folder)
    above = next((file.targets_file for file in project.files if file.targets_file is not None), None)
    if needs_targets and above is not None and not _is_in(above, folder):
        message = f"`{NAME}` of the jobs is in another folder: {clean(path_name(above))}"
        raise UsageError(Problem(code="E150", message=message, hint="put it beside the jobs"))
    known = {name: target for file in project.files for name, target in file.targets.items()}
    of_sites = {name: target for name, target in known.items() if isinstance(target, SiteTarget)}
    read = {Path(file.document.file).name: list(_read_by(file)) for file in project.files}
    whole = {name: paths for name, paths in read.items() if all(_is_in(path, folder) for path in paths)}
    catalogues = [f"{name}{ENDING}" for name in of_sites if (folder / f"{name}{ENDING}").is_file()]
    names = {path.name for paths in whole.values() for path in paths} | {*catalogues}
    return JobFolder(
        files=tuple(sorted(names)),
        elsewhere=tuple(sorted(read.keys() - whole.keys())),
        sites={name: variables_of(target) for name, target in of_sites.items()},
        secret_files={name: files_of(target) for name, target in of_sites.items()},
        protected=tuple(name for name, target in known.items() if target.protected),
        lacking=_lacking(project.files),
        secret_inputs=frozenset(
            each.name for file in project.files if file.job for each in file.job.inputs if each.secret
        ),
        with_target=sum(file.job is not None and file.job.target is not None for file in project.files),
        without_target=sum(file.job is not None and file.job.target is None for file in project.files),
    )


def _lacking(files: Iterable[JobFile]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job in (file.job for file in files if file.job is not None):
        cases: Sequence[Mapping[str, Json]] = [{}] if job.cases is None else [case.inputs for case in job.cases]
        for declared in job.inputs:
            if declared.required and not all(declared.name in given for given in cases):
                found.setdefault(declared.name, []).append(job.name)
    return found


def _read_by(file: JobFile) -> Iterator[Path]:
    yield from map(Path, file.documents)
    cases = record(file.document.data).get("cases")
    if isinstance(cases, str):
        yield Path(file.document.file).parent / cases


def _is_in(path: Path, folder: Path) -> bool:
    return path.absolute().parent.resolve() == folder.resolve()


def _marks(called: str, *, image: str, secret: str) -> dict[str, str]:
    name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", VERSION)
    return {
        "FOLDER": called,
        "IN": "" if called == "." else f"{called}/",
        "VERSION": VERSION,
        "PACKAGE": f"set where the package comes from, your index or git+https://…@v{VERSION}",
        "SOURCE": f"git+https://git.example.com/OWNER/creatio-runner@v{VERSION}",
        "IMAGE": f"{name}:{tag}",
        "IMAGE_NAME": name,
        "IMAGE_TAG": tag,
        "DB_SECRET": secret,
    }


def _lists(kind: DeployKind, jobs: JobFolder, targets: SiteVariables, *, named: bool) -> dict[str, str]:
    """What a template has once for each job, site, worker or variable."""
    workers = "".join(_filled(_template("compose/worker.yaml"), _target_marks(target)) for target in targets.items())
    variables = tuple(dict.fromkeys(name for several in targets.values() for name in several))
    left_out = "".join(f"\n      # not {name}: it reads files of other folders" for name in jobs.elsewhere)
    return {
        "RESOURCES": "".join(f"\n  - {name}" for name in kind.resources),
        "JOBS": "".join(f"\n      - {name}" for name in jobs.files) + left_out,
        "WORKER_FILES": "".join(f"\n  - worker-{_label(target)}.yaml" for target in targets),
        "WORKERS": workers,
        "SECRETS": "".join(f"\n          {name}: ${{{{ secrets.{name} }}}}" for name in variables),
        "AZURE_ENV": "".join(f"\n      {name}: $({name})" for name in variables) or " {}",
        "TARGET_OPTIONS": "" if jobs.with_target and not named else "".join(f" -t {target}" for target in targets),
        "UNSET": "".join(f"-u {name} " for name in variables if not name.startswith("CREATIO_")),
        "EMPTY": "\n".join(f"{name}=''" for name in variables),
        **_variable_marks(variables),
    }


def _variable_marks(names: Sequence[str]) -> dict[str, str]:
    return {
        "VARIABLES": joined_by_and(names),
        "LITERALS": " ".join(f"--from-literal={name}=…" for name in names),
        "ASSIGNED": joined_by_and([f"{name}='…'" for name in names]),
    }


def deploy_files(kind: DeployKind, folder: Path, marks: Mapping[str, str], targets: SiteVariables) -> Iterator[NewFile]:
    """The files of a kind. Files that are there stay: another kind may have written them."""
    for name, (template, what) in kind.files.items():
        text = _template(template)
        for own in map(_target_marks, targets.items()) if "@LABEL@" in name else [dict[str, str]()]:
            filled = _filled(text, {**marks, **own})
            yield NewFile(path=folder / _filled(name, own), text=filled, what=_filled(what, own), may_be_there=True)


def _template(name: str) -> str:
    """A template with the parts that it includes, each indented as the line is that names it."""
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    return _INCLUDED.sub(lambda found: indent(_template(found[2]), found[1]), text)


def _filled(text: str, marks: Mapping[str, str]) -> str:
    return _MARK.sub(lambda found: marks[found[1]], text)


def _target_marks(target: tuple[str, Sequence[str]]) -> dict[str, str]:
    name, variables = target
    return {"TARGET": name, "LABEL": _label(name), **_variable_marks(variables)}


def _label(target: str) -> str:
    """A name for Kubernetes: small letters, digits and dashes."""
    return _NO_LABEL.sub("-", target.lower()).strip("-")


def _files_to_compare(kind: DeployKind, folder: Path, paths: Sequence[Path]) -> Iterator[str]:
    """What is to be done about files that were there, and are not what would be written now."""
    if paths:
        shown = joined_by_and([clean(path_name(path)) for path in paths])
        yield f"compare these, which were there, with what a new folder gets: {shown}"
    if kind.resources and folder / TOP in paths:
        yield f"write into {clean(path_name(folder / TOP))}: resources: [{', '.join(kind.resources)}]"


def _to_do(
    kind: DeployKind, marks: Mapping[str, str], targets: SiteVariables, jobs: JobFolder, *, is_root: bool
) -> Iterator[str]:
    yield from (f"write the site `{target}` into {marks['IN']}{NAME}" for target in targets if target not in jobs.sites)
    if jobs.elsewhere and kind.resources:
        yield f"put jobs that read files of other folders into the image: {joined_by_and(jobs.elsewhere)}"
    if not is_root and any(name.startswith(".github") for name in kind.files):
        yield f"move {marks['IN']}.github to the root of the checkout: GitHub reads it only there"
    names = plural(jobs.without_target, "job names", "jobs name")
    if jobs.without_target and jobs.with_target:  # an option or a variable would send all of them there
        yield f"write `target` into the jobs: {names} none"
    elif jobs.without_target and "azure-pipelines.yml" not in kind.files:
        yield f"set CREATIO_RUNNER_TARGET where the runner is started, or write `target` into the jobs: {names} none"
    for name, needed_by in jobs.lacking.items() if kind.has_workers else ():
        if name not in jobs.secret_inputs:
            yield f"write `-i {name}=…` beside `runner apply` in these files: {joined_by_and(needed_by)} must have it"
    for target, variables in targets.items():
        for file in jobs.secret_files.get(target, ()):
            yield _filled(kind.mounted, {**marks, **_target_marks((target, variables)), "FILE": clean(file)})
        if target in jobs.protected:
            yield _filled(kind.confirm, {**marks, "TARGET": target})
    for line in (*kind.first, *kind.to_do):
        each: Iterable[Mapping[str, str]] = map(_target_marks, targets.items()) if "@LABEL@" in line else [{}]
        yield from (_filled(line, {**marks, **own}) for own in each)
