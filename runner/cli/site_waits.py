"""Which sites a command waits for, how long, and for what: from targets, options, and the jobs that were selected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Final

from runner.catalogue.model import Catalogue
from runner.cli import output
from runner.cli.catalogue_files import read_file
from runner.cli.prepared import RunSpec
from runner.cli.until_ready import SiteWait
from runner.cli.wait_story import Story
from runner.doctor.readiness import Watched, only
from runner.foundation.problems import Problem, UsageError
from runner.foundation.raw import record
from runner.job.outline import outline
from runner.lint.uses import started
from runner.project.paths import called
from runner.project.sites import Sites
from runner.reading.document import Document
from runner.reading.load import load
from runner.secrets.redact import Secrets
from runner.targets.model import TOO_SHORT, TOO_SHORT_HINT, Readiness, SiteTarget

AS_WRITTEN: Final = 0.0
"""The value of `--wait-ready` that gives no duration: what the target says counts, else ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options of a command ask for. `longest` is None where they ask for no wait: then the target decides."""

    longest: float | None = None
    every: float | None = None
    catalogue: Path | None = None


@dataclass(slots=True, kw_only=True)
class SiteWaits:
    """The waits of one command. A sandbox is ready at once, and is not among them."""

    sites: Sites
    asked: Asked
    _catalogues: dict[Path, Catalogue] = field(default_factory=dict)

    def of_runs(self, runs: Iterable[RunSpec]) -> tuple[SiteWait, ...]:
        """A wait for each site that these runs go to, for the processes that they start there. Raises `UsageError`."""
        codes: dict[SiteTarget, set[str]] = {}
        for run in runs:
            if isinstance(run.target, SiteTarget) and self._wanted(run.target) is not None:
                codes.setdefault(run.target, set()).update(processes_in(run.sources))
        return tuple(self.of(target, codes=found) for target, found in codes.items())

    def of(self, target: SiteTarget, *, codes: Iterable[str] | None) -> SiteWait:
        """A wait for one site; `codes` are the processes that count, None for all of the catalogue. Raises
        `UsageError`.
        """
        wanted = self._wanted(target) or Readiness()
        if wanted.every >= wanted.longest:
            raise UsageError(Problem(code="E168", message=TOO_SHORT, hint=TOO_SHORT_HINT))
        expected = None if wanted.catalogue is None else self._expected(wanted.catalogue, codes)
        site, secrets = self.sites.of(target), Secrets()
        site.hide_in(secrets)
        story = Story(name=target.name, wanted=wanted, catalogue=_named(wanted.catalogue), mask=secrets.mask)
        return SiteWait(site=Watched(caller=site.client, clock=monotonic, expected=expected), story=story)

    def _wanted(self, target: SiteTarget) -> Readiness | None:
        """What the target says, and above it what the options do; None where neither asks for a wait."""
        if self.asked.longest is None:
            return target.ready
        wanted = target.ready or Readiness()
        return replace(
            wanted,
            longest=self.asked.longest or wanted.longest,
            every=self.asked.every or wanted.every,
            catalogue=self.asked.catalogue or wanted.catalogue,
        )

    def _expected(self, file: Path, codes: Iterable[str] | None) -> Catalogue | None:
        """The processes that count as the catalogue has them; None where there are none to count."""
        if not file.exists():
            hint = "`runner catalog build PACKAGES -o FILE` writes one from packages"
            raise UsageError(Problem(code="E179", message=f"there is no catalogue {called(file)}", hint=hint))
        if file not in self._catalogues:
            self._catalogues[file] = read_file(file)
        whole = self._catalogues[file]
        wanted = sorted(whole.processes if codes is None else codes)
        expected = only(whole, wanted)
        if codes is not None and not wanted:
            return None
        if not expected.processes:
            raise UsageError(_none_of(whole, wanted))
        for code in wanted:
            if code not in expected.processes and whole.family_of(code) is None:
                output.say(f"{whole.name} does not have `{code}`: it is not waited for")
        return expected


def _named(file: Path | None) -> str:
    return "" if file is None else called(file)


def _none_of(whole: Catalogue, codes: Sequence[str]) -> Problem:
    listed = ", ".join(f"`{code}`" for code in codes[:5])
    what = f"none of the processes that the jobs start: {listed}" if codes else "no process"
    hint = "make it anew: `runner catalog build PACKAGES -o FILE`"
    return Problem(code="E168", message=f"{whole.name} has {what}", hint=hint)


def processes_in(texts: Mapping[str, str]) -> frozenset[str]:
    """The codes of the processes that job files start, by their texts."""
    documents = (load(name, text.encode()) for name, text in texts.items())
    return started(outline(record(one.data)) for one in documents if isinstance(one, Document))
