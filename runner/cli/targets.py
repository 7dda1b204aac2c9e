"""The targets that a command line names: those of a job's targets file, the environment's, and those of clio."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.foundation.problems import Problem, Severity
from runner.project.job_files import JobFile
from runner.project.project import Project, check_doubles, compare, target_named
from runner.reading.files import read_text
from runner.runs.events import TargetName
from runner.targets import clio
from runner.targets import environment as env
from runner.targets.model import SandboxTarget, SiteTarget, Target
from runner.targets.values import is_in_the_clear


@dataclass(slots=True, kw_only=True)
class Targets:
    """Targets by name, for the job files of one project. What is wrong with one is added to the project, once."""

    project: Project
    environment: Mapping[str, str]
    _outside: dict[str, Target | None] = field(default_factory=dict)

    def named(self, file: JobFile, name: str | None) -> Target | None:
        """The target that a run of this job goes to: the one named, else the job's own. None where it is not found.

        A name on the command line may stand for a site outside of the targets file; it does so before the file's own.
        """
        if name is not None and is_outside(name):
            if name not in self._outside:
                self._outside[name] = self._found_outside(name)
            return self._outside[name]
        own = file.job.target if file.job and name is None else None
        if not file.targets or (own is not None and own not in file.targets):
            return None  # what is wrong with the targets file, or with the job's own target, is told already
        target = target_named(file, name)
        if isinstance(target, Problem):
            self._tell(target)
            return None
        if isinstance(target, SiteTarget) and target.plain_http and ("{{" in target.url or is_in_the_clear(target.url)):
            self._tell(_in_the_clear(target))
        check_doubles(target, self.project)
        compare(file, target, self.project)
        return target

    def _found_outside(self, name: str) -> Target | None:
        found = outside(name, environment=self.environment)
        if isinstance(found, tuple):
            for problem in found:
                self._tell(problem)
            return None
        return found

    def _tell(self, problem: Problem) -> None:
        if problem not in self.project.problems:
            self.project.problems.append(problem)


def _in_the_clear(target: SiteTarget) -> Problem:
    told = "is called without TLS (`plain_http`): passwords and data can be read on their way"
    return Problem(code="E167", message=f"target `{target.name}` {told}", severity=Severity.WARNING)


def is_outside(name: str) -> bool:
    return name == env.NAME or name.startswith(clio.PREFIX)


def outside(name: str, *, environment: Mapping[str, str]) -> SiteTarget | tuple[Problem, ...]:
    """The site of `env`, or of `clio:NAME`."""
    if name == env.NAME:
        return env.from_environment(environment)
    return clio.find(name.removeprefix(clio.PREFIX), environment=environment, read_file=read_text)


def name_of(target: Target) -> TargetName:
    """What a target is called in a plan, before it has been made ready: its templates stand as they are written."""
    if isinstance(target, SandboxTarget):
        return TargetName(name=target.name, url="", sandbox=True)
    return TargetName(name=target.name, url=target.url, sandbox=False)
