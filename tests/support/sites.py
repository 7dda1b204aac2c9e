"""A site for tests, over a real socket: it signs everybody in and answers as the test says. No code of the sandbox."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

NAMESPACE = "http://schemas.microsoft.com/2003/10/Serialization/"
COOKIES = ("BPMLOADER=a", ".ASPXAUTH=b", "BPMCSRF=c", "UserName=d")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `cut`: the connection is closed in the middle of it; `silent`: it is closed without a byte."""

    status: int = 200
    body: str = ""
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    silent: bool = False


def xml(value: object) -> Answer:
    """A reply of Execute as the service writes it."""
    text = json.dumps(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Answer(body=f'<string xmlns="{NAMESPACE}">{text}</string>', kind="application/xml")


SIGNED_IN = Answer(
    body='{"Code":0,"Message":"","Exception":null,"PasswordChangeUrl":null,"RedirectUrl":null}',
    headers=tuple(("Set-Cookie", f"{cookie}; path=/") for cookie in COOKIES),
)
REFUSED = Answer(body='{"Code":1,"Message":"Wrong name or password","Exception":{"Message":"no"}}')
NOTHING = Answer(status=404)


def library(code: str) -> Answer:
    """What VwProcessLib answers, where there is one process, of one version."""
    uid = "5b0c9a3e-92a3-4c0b-8f1c-0a9b6f6a0001"
    only = {"Id": uid, "UId": uid, "Name": code, "SysSchemaId": uid, "IsActiveVersion": True, "Version": 1}
    return Answer(body=json.dumps({"value": [only]}))


@dataclass
class Site:
    """`asked` holds method and path of every request, decoded, `headers` theirs; `sign_ins` are bodies of sign-ins.

    `answer` is given method and path.
    """

    answer: Callable[[str, str], Answer]
    sign_in: Answer | None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sign_ins: list[bytes] = field(default_factory=list)

    def executes(self) -> list[str]:
        return [line for line in self.asked if "/Execute" in line]


@contextmanager
def site(answer: Callable[[str, str], Answer], *, sign_in: Answer | None = SIGNED_IN, port: int = 0) -> Iterator[Site]:
    """Serve on a port of loopback, a free one by default. `answer` is asked for everything but the sign-in, and for
    that, too, where `sign_in` is None: then records are given also to who has not signed in.
    """
    here = Site(answer=answer, sign_in=sign_in)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "AuthService" in self.path:
                here.sign_ins.append(sent)
            here.asked.append(f"{self.command} {unquote(self.path)}")
            here.headers.append(dict(self.headers))
            signs_in = here.sign_in if "AuthService" in self.path else None
            is_stranger = here.sign_in is not None and "/odata/" in self.path and "Cookie" not in self.headers
            reply = Answer(status=401) if is_stranger else signs_in or here.answer(self.command, unquote(self.path))
            content = reply.body.encode()
            if reply.silent:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (100 if reply.cut else 0)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = reply.cut

        do_GET = do_POST = _serve  # noqa: N815  the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def targets(url: str) -> str:
    """A targets file with one site, `here`."""
    return f"runner: 1\ntargets:\n  here:\n    url: {url}\n    auth: {{username: integration, password: pa55-w0rd}}\n"


def process_in(path: str) -> str:
    return path.split("/")[4]


@dataclass
class Executes:
    """Answers an execute by what `given` says of its process, else with 7; `asked` are the processes, in their order.
    Another `key` names a call by something else in its path.
    """

    key: Callable[[str], str] = process_in
    given: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        key = self.key(path)
        self.asked.append(key)
        return self.given.get(key, xml(7))
