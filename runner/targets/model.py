"""The records of a target: a site, or a sandbox of doubles.

Texts of a site may hold `{{ env.NAME }}` and `{{ file('PATH') }}`; they are worked out when a run begins, never before.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias


class Runtime(StrEnum):
    """Which prefix a site's services have: `/0` on .NET Framework, none on .NET [D]."""

    NET_FRAMEWORK = "net-framework"
    NET = "net"


class ElementCall(StrEnum):
    """Where ExecProcElByUId takes its id: as documented in the path [D], or in the query [C]."""

    PATH = "path"
    QUERY = "query"


class ExecuteMethod(StrEnum):
    GET = "get"
    POST = "post"


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTarget:
    name: str
    url: str
    runtime: Runtime = Runtime.NET_FRAMEWORK
    auth: Password | None = None
    element_call: ElementCall = ElementCall.PATH
    execute_method: ExecuteMethod = ExecuteMethod.GET


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxTarget:
    """`folder` holds the doubles, `*.process.yaml`; relative to the current folder, or absolute."""

    name: str
    folder: Path


Target: TypeAlias = SiteTarget | SandboxTarget
