"""The verbs that only read a site: `doctor` checks the way to it, `record` makes a double and a job from a run."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import click
from msgspec.structs import asdict, replace

from runner.cli import options
from runner.cli.verb import Verb
from runner.doctor.findings import WayFinding, WayVerdict, failed, ok
from runner.doctor.way import Way, untrodden, walk
from runner.foundation.problems import ExitCode, Problem, SiteSilentError, UsageError, strongest
from runner.foundation.shell_words import shell_word
from runner.foundation.values import Json, JsonObject, is_guid
from runner.project.catalogue_files import no_answer
from runner.project.double_files import create, double_file, doubles_by_code
from runner.project.named_targets import Known, KnownTarget, chosen, single_target, targets_of
from runner.project.project import Project
from runner.project.pulling import NoAnswerError, PatientReader
from runner.project.sites import ReadySite, Sites
from runner.reading.files import display_path
from runner.recording.double import double, invented
from runner.recording.job import job, name
from runner.recording.model import Recorded
from runner.recording.reading import read_run, with_calls
from runner.recording.stored_calls import known
from runner.reports.safe import clean, json_document
from runner.runs.store import RunStore
from runner.secrets.redact import Secrets
from runner.service.calls import SessionCaller
from runner.service.client import Client
from runner.service.connecting import trust_all, trusting
from runner.service.site import ExecuteMethod, Runtime
from runner.targets.model import SandboxTarget, Target
from runner.terminal import output

FILE = "targets file"
TARGET = "target"


@click.command("doctor", cls=Verb)
@click.argument("specs", nargs=-1, metavar="[SPEC…]", type=click.Path(path_type=Path))
@options.targets("Check this target; several times: each.")
@options.TARGETS
@options.form()
def doctor(context: click.Context) -> int:
    r"""Check the way to a target step by step, and say where it ends: its variables, the host's name, a connection,
    TLS and its certificate, the sign-in, `runtime`, the right to run processes, the process log, the clocks.
    No process is started.

    The targets file is that of SPEC, else the nearest from the current folder up.

    \b
    Examples:
      runner doctor -t staging
      runner doctor -t staging specs
      runner doctor -t staging --format json | jq '.targets[].findings[] | select(.verdict == "failed")'

    Exit 0, 2 where the target itself has a mistake, 3 where a step failed.
    """
    given = context.params
    known = chosen(given["target"], given["specs"], given["targets"])
    is_json = given["form"] == "json"
    with Sites() as sites:
        found = {name: _examined(name, target, sites, prints=not is_json) for name, target in known.items()}
    codes = [_code(findings) for findings in found.values()]
    code = ExitCode.INVALID if ExitCode.INVALID in codes else strongest(codes)
    if is_json:
        output.data(json_document(_document(found, code)), for_programs=True)
    return code


def _examined(name: str, known: KnownTarget, sites: Sites, *, prints: bool) -> list[WayFinding]:
    """The findings without secrets, each printed as soon as it is made."""
    secrets, findings = Secrets(), list[WayFinding]()
    if prints:
        output.data(f"doctor {clean(name)}\n")
    for finding in _findings(known, sites, secrets):
        hint = None if finding.hint is None else secrets.mask(finding.hint)
        findings.append(replace(finding, seen=secrets.mask(finding.seen), hint=hint))
        if prints:
            output.data(f"  {finding.verdict:9}  {finding.step:15}  {clean(findings[-1].seen)}\n")
            output.data("" if hint is None else f"{'try':>29}: {clean(hint)}\n")
    return findings


def _code(findings: Sequence[WayFinding]) -> ExitCode:
    failures = {finding.step for finding in findings if finding.verdict is WayVerdict.FAILED}
    if TARGET in failures:
        return ExitCode.INVALID
    return ExitCode.NO_ANSWER if failures else ExitCode.PASSED


def _document(found: Mapping[str, Sequence[WayFinding]], code: ExitCode) -> JsonObject:
    def shown(finding: WayFinding) -> JsonObject:
        return {**asdict(finding), "verdict": finding.verdict.replace(" ", "_")}

    targets: list[Json] = [
        {"target": name, "findings": [shown(finding) for finding in findings]} for name, findings in found.items()
    ]
    return {"format": 1, "exit_code": int(code), "targets": targets}


def _findings(known: KnownTarget, sites: Sites, secrets: Secrets) -> Iterator[WayFinding]:
    """`secrets` learns what no finding may show."""
    yield ok(FILE, known.where)
    target = known.target
    try:
        ready = sites.of(target)
        ready.hide_in(secrets)
    except UsageError as error:
        for problem in error.problems:
            yield failed(TARGET, problem.message, problem.hint)
        yield from untrodden()
        return
    what = f"the sandbox {target.folder}" if isinstance(target, SandboxTarget) else f"{target.runtime}"
    yield ok(TARGET, f"{ready.site.url}, {what}")
    with closing(Client(ready.site)) as stranger:
        yield from walk(_way(ready, target, sites, secrets, stranger=stranger))


def _way(ready: ReadySite, target: Target, sites: Sites, secrets: Secrets, *, stranger: Client) -> Way:
    site, credentials, is_sandbox = ready.site, ready.credentials, ready.name.sandbox

    def at_other_runtime() -> SessionCaller:
        """The same site with a sign-in of its own, called where the other runtime has its services."""
        other = Runtime.NET if target.runtime is Runtime.NET_FRAMEWORK else Runtime.NET_FRAMEWORK
        there = sites.of(replace(target, runtime=other))
        there.hide_in(secrets)
        return there.client

    signs_in = None if credentials is None else credentials.kind.described
    return Way(
        url=site.url,
        caller=ready.client,
        runtime=target.runtime,
        at_other=at_other_runtime,
        tls=None if is_sandbox else lambda: trust_all(trusting(site)),
        proxy=site.proxy,
        signs_in="the user of the sandbox" if is_sandbox else signs_in,
        stranger=None if is_sandbox or credentials is None else stranger,
        by_get=not is_sandbox and site.calls.execute_method is ExecuteMethod.GET,
    )


@click.command("record", cls=Verb)
@click.argument("process_id", metavar="PROCESS_ID", type=options.Filled())
@options.SINGLE_TARGET
@options.TARGETS
@options.option("--out", metavar="FOLDER", required=True, help="The folder of the sandbox.")
@options.option("--job-out", "job_file", metavar="FILE", help="Write the job here, not beside FOLDER.")
@options.option(
    "--keep-values", is_flag=True, help="Write the values as they were, not invented values: they may name real people."
)
@options.RUNS
def record(context: click.Context) -> int:
    r"""Write down what one run of a process did: a double of it in FOLDER, and a job that calls it beside FOLDER. The
    id is that of its row in the process log. The site is only read.

    The log shows how it ended, the log of elements which way it took, the library what it takes and gives. What it was
    given and what it gave is known only where a stored run has started it. What could not be seen is a comment in the
    files. Values are replaced by invented values of the same types. Nothing is ever written over.

    \b
    Examples:
      runner record 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11 -t staging --out specs/sandbox
      runner run specs/recorded-usraddtours.job.yaml -t sandbox

    Exit 0, 1 where the process log has no such process, 2 for a mistake in a file or on the command line, or a file
    that is there already, 3 where the site does not answer.
    """
    given = context.params
    process_id, out = given["process_id"], given["out"]
    if not is_guid(process_id):
        hint = "give the `Id` of a row of the process log; a report has it as `process_id`"
        raise UsageError(Problem(code="E150", message=f"`{process_id}` is no id of a process", hint=hint))
    around = next((folder for folder in (out, out.parent) if folder.is_dir()), None)
    target = single_target(given["target"], (around,) if around else (), given["targets"])
    if isinstance(target.target, SandboxTarget):
        message = f"target `{target.target.name}` is a sandbox that starts empty: it holds no run to record"
        hint = "serve it with `runner sandbox FOLDER`, and name its address as the `url` of a target"
        raise UsageError(Problem(code="E169", message=message, hint=hint))
    secrets = Secrets()
    try:
        run = _read(target, process_id.lower(), given["runs"], secrets)
    except NoAnswerError as error:
        raise SiteSilentError(no_answer(error, secrets)) from error
    if isinstance(run, Problem):
        output.problems(run)
        return ExitCode.FAILED
    written = run if given["keep_values"] else invented(run)
    job_file = given["job_file"] or out.parent / f"{name(written)}.job.yaml"
    _write(written, out, job_file)
    for sentence in run.unseen:
        output.say(f"not seen: {secrets.mask(sentence)}")
    if written.error and not given["keep_values"]:
        output.say("read the text of its failure before you commit it: only what looks like data was replaced in it")
    _say_next(job_file, out, targets_of((job_file,), given["targets"], Project()))
    return ExitCode.PASSED


def _say_next(job_file: Path, out: Path, targets: Known) -> None:
    """The command that carries the job out against its double, and what it still lacks."""
    sandboxes = [each.target for each in targets.values() if isinstance(each.target, SandboxTarget)]
    name = next((each.name for each in sandboxes if each.folder.resolve() == out.resolve()), None)
    where = next(iter(targets.values())).where
    first = "" if name else f"add a target to {where} whose `sandbox` is the folder {display_path(out)}, then "
    output.say(f"next: {first}`runner run {shell_word(display_path(job_file))} -t {name or 'NAME'}`")


def _read(target: KnownTarget, process_id: str, runs: RunStore, secrets: Secrets) -> Recorded | Problem:
    """What could be seen of it, or why nothing. Raises `NoAnswerError`, and `UsageError` for a target."""
    with Sites() as sites:
        ready = sites.of(target.target)
        ready.hide_in(secrets)
        run = read_run(PatientReader(caller=ready.client, wait=time.sleep), process_id)
    if run is None:
        message = f"the process log of target `{target.target.name}` has no process {process_id}"
        hint = "check the user's rights: the log shows only what the user may read; old processes are archived"
        return Problem(code="E225", message=message, hint=hint)
    if isinstance(run, Problem):
        return run
    elements = [key for element in run.way for key in (element.id, element.uid) if key is not None]
    masked = replace(run, error=secrets.mask(run.error) if run.error else None)
    return with_calls(masked, known(runs, process_id, elements))


def _write(run: Recorded, out: Path, job_file: Path) -> None:
    """All files, or none. Raises `UsageError`."""
    doubles = double(run)
    files: list[tuple[Path, str]] = []
    for each in doubles:
        path = double_file(each, out)
        if path is None:
            raise UsageError(Problem(code="E153", message=f"`{each.code}` is a code that no file can have"))
        files.append((path, each.text))
    files.append((job_file, job(run)))
    there = doubles_by_code(out)
    taken = [there[each.code] for each in doubles if each.code in there]
    taken += [path for path, _ in files if path.exists() and path not in taken]
    if taken:
        hint = "move it away, or choose another place with `--out` and `--job-out`"
        messages = (f"{display_path(path)} is there already, and nothing is written over" for path in taken)
        raise UsageError(*(Problem(code="E153", message=message, hint=hint) for message in messages))
    for path, text in files:
        create(path, text)
        output.data(f"wrote {display_path(path)}\n")
