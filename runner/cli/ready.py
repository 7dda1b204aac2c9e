"""`runner ready`, and `--wait-ready` of other verbs: wait until sites are ready, as after a deployment.

Each site has a thread; the main thread prints what they wait for, and hears signals. No process is started.
"""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.model import Catalogue
from runner.cli import options
from runner.cli.verb import SwitchedOption, Verb
from runner.doctor.readiness import Look, ReadyOutcome, Story, Watched, only, wait_until_ready
from runner.execution.run_pool import UntilReady
from runner.execution.run_spec import RunSpec
from runner.foundation import threads
from runner.foundation.durations import format_duration
from runner.foundation.problems import STOPPED, ExitCode, Problem, UsageError
from runner.foundation.sentences import listed
from runner.foundation.values import Json, JsonObject, record
from runner.hosts.stop import Stop, listening
from runner.job.outline import outline
from runner.lint.uses import started, watched
from runner.project.catalogue_files import documents_of, read_file
from runner.project.named_targets import KnownTarget, chosen
from runner.project.sites import Sites
from runner.reading.document import Document
from runner.reading.files import display_path
from runner.reading.load import load
from runner.reports import mistakes
from runner.reports.console import is_live
from runner.reports.safe import clean, json_document
from runner.secrets.redact import Secrets
from runner.targets.model import Readiness, SandboxTarget, SiteTarget
from runner.terminal import output

if TYPE_CHECKING:
    from runner.reports.console_live import LiveTerminal

AGAIN: Final = 30.0  # seconds between two lines about a site whose state stays the same
_TICK: Final = 0.2
"""Seconds between two looks at signals. A wait without an end would let Windows hear none."""


@click.command("ready", cls=Verb)
@options.OPTIONAL_SPECS
@options.targets("Wait for this target; several times: for each, side by side.")
@options.TARGETS
@options.option(
    "--for",
    "longest",
    cls=SwitchedOption,
    envvar="CREATIO_RUNNER_WAIT_READY",
    metavar="DURATION",
    type=options.Duration(may_be_empty=True),
    help="Wait up to this long, not for what the target says, or 10m; its variable is CREATIO_RUNNER_WAIT_READY.",
)
@options.option(
    "--every",
    metavar="DURATION",
    help="Read a site that answers again after this long, not after what the target says, or 5s.",
)
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=options.NamedFile("the catalogue is a file, as `runner catalog build` writes it", folders=True),
    help="Wait until the site has what this file says, or a folder of packages: versions, which of them is active, "
    "parameters.",
)
@options.form()
def ready(context: click.Context) -> int:
    r"""Wait until a site is ready. It is when two authenticated readings, one pause apart, gave rows; and with a
    catalogue, when its processes are as that says: those that the jobs in SPEC start or watch, all of them without
    SPEC. Refused connections, errors, the sign-in page are waited through. After two refused sign-ins it ends. No
    process is started.

    Without a catalogue a site that has not begun to restart is ready: only a catalogue distinguishes new from old.

    \b
    Examples:
      runner ready -t staging
      runner ready -t staging --for 15m --catalog git.catalog.yaml specs

    Exit 0, 2 for a mistake in a file or on the command line, 3 where the site was not ready in time, 129, 130, 143
    where a signal ended it.
    """
    given = context.params
    specs: Sequence[Path] = given["specs"]
    known = chosen(given["target"], specs, given["targets"]).values()
    codes = _codes(documents_of(specs)) if specs else None
    longest = 0.0 if given["longest"] is None else given["longest"]
    stop = Stop(grace=0)
    with Sites() as sites:
        site_waits = SiteWaits(sites=sites, longest=longest, every=given["every"], catalogue=given["catalogue"])
        waits = []
        for entry in known:
            if isinstance(entry.target, SandboxTarget):
                output.say(f"{clean(entry.target.name)} is ready: it is a sandbox")
            else:
                waits.append(site_waits.wait_for(entry.target, codes=codes))
        context.with_resource(listening(stop, heard=lambda name: output.say_at_signal(f"{name}: the wait ends here\n")))
        context.with_resource(output.in_background(hurry=lambda: stop.why is not None))
        are_ready = until_ready(waits)(stop) is None
    code = ExitCode.PASSED if are_ready else STOPPED.get(stop.why or "", ExitCode.NO_ANSWER)
    if given["form"] == "json":
        output.data(_document(known, waits, code), for_programs=True)
    return code


class SiteWait(Struct, kw_only=True, eq=False):
    """`fault` is ours, which ended the thread of the wait."""

    site: Watched
    story: Story
    fault: BaseException | None = None


def _document(known: Iterable[KnownTarget], waits: Iterable[SiteWait], code: ExitCode) -> str:
    """Whether each target is ready; a sandbox always is. A site that is not ready is a problem."""
    stories = {wait.story.name: wait.story for wait in waits}
    names = [entry.target.name for entry in known]
    ready: dict[str, Json] = {
        name: name not in stories or stories[name].outcome is ReadyOutcome.READY for name in dict.fromkeys(names)
    }
    problems = [problem for story in stories.values() if (problem := story.problem()) is not None]
    targets: list[Json] = [{"target": name, "ready": is_ready} for name, is_ready in ready.items()]
    found: JsonObject = {"exit_code": int(code), "targets": targets, "problems": mistakes.records(problems)}
    return json_document({"format": 1, **found})


class SiteWaits(Struct, kw_only=True):
    """The waits of a command for sites; a sandbox is always ready.

    `longest` is in seconds: None where only a target may ask for a wait, 0 for the duration that the target names.
    """

    sites: Sites
    longest: float | None = None
    every: float | None = None
    catalogue: Path | None = None
    _catalogues: dict[Path, Catalogue] = field(default_factory=dict)

    def for_runs(self, runs: Iterable[RunSpec]) -> tuple[SiteWait, ...]:
        """A wait for each site that these runs go to, for the processes that they start there. Raises `UsageError`."""
        codes: dict[SiteTarget, set[str]] = {}
        for run in runs:
            if isinstance(run.target, SiteTarget) and self._wanted(run.target) is not None:
                texts = (load(name, text.encode()) for name, text in run.sources.items())
                documents = [document for document in texts if isinstance(document, Document)]
                codes.setdefault(run.target, set()).update(_codes(documents))
        return tuple(self.wait_for(target, codes=found) for target, found in codes.items())

    def wait_for(self, target: SiteTarget, *, codes: Collection[str] | None) -> SiteWait:
        """A wait for a site, for the processes `codes`, None for all of the catalogue. Raises `UsageError`."""
        wanted = self._wanted(target) or Readiness()
        if wanted.every >= wanted.longest:
            every, longest = format_duration(wanted.every), format_duration(wanted.longest)
            message = f"a site is ready after two readings, {every} apart: {longest} is too short for them"
            hint = "wait longer: `--wait-ready 10m`, or `runner ready --for 10m`"
            raise UsageError(Problem(code="E168", message=message, hint=hint))
        file = wanted.catalogue
        expected = None if file is None else self._expected(file, codes)
        site = self.sites.of(target)
        catalogue = "" if file is None else display_path(file)
        story = Story(name=target.name, wanted=wanted, catalogue=catalogue, mask=site.hide_in(Secrets()).mask)
        return SiteWait(site=Watched(caller=site.client, clock=time.monotonic, expected=expected), story=story)

    def _wanted(self, target: SiteTarget) -> Readiness | None:
        """What the target says, and above it what the options do; None where neither asks for a wait."""
        if self.longest is None:
            return target.ready
        wanted = target.ready or Readiness()
        return replace(
            wanted,
            longest=self.longest or wanted.longest,
            every=self.every or wanted.every,
            catalogue=self.catalogue or wanted.catalogue,
        )

    def _expected(self, file: Path, codes: Collection[str] | None) -> Catalogue | None:
        """The processes that must be as the catalogue has them, if any."""
        if file not in self._catalogues:
            self._catalogues[file] = read_file(file, warn=output.problems, of_packages=True)
        whole = self._catalogues[file]
        wanted = sorted(whole.processes if codes is None else _matched(codes, whole.processes))
        expected = only(whole, wanted)
        if codes is not None and not codes:
            output.say(f"the jobs start and watch no process: nothing of {whole.name} is waited for")
            return None
        if not expected.processes:
            what = f"none of the processes that the jobs start: {listed(sorted(codes))}" if codes else "no process"
            hint = "make it anew: `runner catalog build PACKAGES -o FILE`"
            raise UsageError(Problem(code="E168", message=f"{whole.name} has {what}", hint=hint))
        for code in wanted:
            if code not in expected.processes and whole.family_of(code) is None:
                output.say(f"{whole.name} does not have `{code}`: it is not waited for")
        return expected


def _codes(documents: Iterable[Document]) -> frozenset[str]:
    """The codes of the processes that jobs start, and the patterns of those that they watch."""
    outlines = [outline(record(document.data)) for document in documents]
    return started(outlines) | watched(outlines)


def _matched(codes: Iterable[str], known: Iterable[str]) -> set[str]:
    """The codes, with those of the known processes in the place of each pattern."""
    patterns = {code for code in codes if "*" in code}
    return {*codes} - patterns | {code for code in known if any(fnmatchcase(code, each) for each in patterns)}


def until_ready(waits: Sequence[SiteWait], *, quiet: bool = False) -> UntilReady:
    """A wait for all of them that prints what was seen: None if the first call may be sent, else what hinders it."""

    def wait(stop: Stop) -> Sequence[Problem] | None:
        if not waits:
            return None
        seconds = wait_for_all(waits, stop=stop, quiet=quiet)
        stories = [wait.story for wait in waits]
        are_ready = all(story.outcome is ReadyOutcome.READY for story in stories)
        if not (quiet and are_ready):
            for line in (line for story in stories for line in story.transcript(seconds)):
                output.say(line)
        unready = [problem for story in stories if (problem := story.problem()) is not None]
        output.problems(*unready)
        return None if are_ready else unready

    return wait


def wait_for_all(waits: Sequence[SiteWait], *, stop: Stop, quiet: bool = False) -> float:
    """Wait until all sites are ready, any cannot be any more, or a signal comes; gives the seconds."""
    began, shared = time.monotonic(), _Shared()
    progress = WaitProgress(waits=waits, began=began, quiet=quiet)
    for wait in waits:
        threads.start(partial(_watch, wait, began, stop, shared), name=f"wait for {wait.story.name}")
    progress.begin()
    try:
        while stop.why is None and _goes_on(waits):
            progress.tick()
            shared.news.wait(_TICK)
            shared.news.clear()
    finally:
        shared.is_over = True
        progress.close()
    return time.monotonic() - began


class _Shared(Struct):
    """What the threads share. `is_over`: nobody wants to know more."""

    news: threading.Event = field(default_factory=threading.Event)
    is_over: bool = False


def _goes_on(waits: Sequence[SiteWait]) -> bool:
    """Raises a fault of ours in any of the threads."""
    for fault in (wait.fault for wait in waits if wait.fault is not None):
        raise fault
    outcomes = {wait.story.outcome for wait in waits}
    return None in outcomes and outcomes <= {None, ReadyOutcome.READY}


def _watch(wait: SiteWait, began: float, stop: Stop, shared: _Shared) -> None:
    story = wait.story

    def pause(seconds: float) -> bool:
        if stop.why is None:
            stop.wait(seconds)
        return stop.why is None and not shared.is_over

    def see(look: Look) -> None:
        if not shared.is_over:
            story.see(look, time.monotonic() - began)
            shared.news.set()

    try:
        outcome = wait_until_ready(wait.site, story.wanted, pause=pause, seen=see)
        story.outcome = story.outcome if shared.is_over else outcome
    except BaseException as fault:  # noqa: BLE001  the main thread raises it
        wait.fault = fault
    shared.news.set()


class WaitProgress(Struct, kw_only=True):
    """Prints how the waits go, to `out`. `clock` and `began` are in seconds of the same clock."""

    waits: Sequence[SiteWait]
    began: float
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    out: output.MessageStream = field(default_factory=lambda: output.MessageStream("stderr"))
    _live: "LiveTerminal | None" = None
    _printed: dict[str, tuple[Look | None, float]] = field(default_factory=dict)

    def begin(self) -> None:
        if not self.quiet and is_live(self.out, os.environ):
            from runner.reports.console_live import LiveTerminal  # noqa: PLC0415  60 ms, for a terminal

            self._live = LiveTerminal(self.out.drawing(), self.lines, clock=self.clock)
            self._live.begin()

    def lines(self) -> list[str]:
        """What each site is waited for."""
        return [self._line(wait.story) for wait in self.waits if wait.story.outcome is None]

    def tick(self) -> None:
        """Print what is new, and again after a long silence, where no terminal shows it."""
        if self.quiet or self._live is not None:
            return
        seconds = self.clock() - self.began
        for story in (wait.story for wait in self.waits if wait.story.outcome is None):
            printed, at = self._printed.get(story.name, (None, 0.0))
            if (story.last is not printed and story.has_news()) or seconds - at >= AGAIN:
                self._printed[story.name] = story.last, seconds
                self.out.write(f"{self._line(story)}\n")

    def close(self) -> None:
        if self._live is not None:
            self._live.close()

    def _line(self, story: Story) -> str:
        return clean(story.now(self.clock() - self.began))
