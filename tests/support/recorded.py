"""A way to a sandbox that writes down every request as it comes, byte by byte."""

import http.client
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "date", "server"})


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    method: str
    path: str
    content_type: str | None
    body: bytes


@dataclass(slots=True)
class Recorder:
    """`requests` are those that came, in their order, without sign-ins, which are counted. `headers` are those of the
    last one.
    """

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    sign_ins: int = 0

    def of(self, part: str) -> list[ReceivedRequest]:
        return [request for request in self.requests if part in request.path]


@contextmanager
def recorded(sandbox: str) -> Iterator[Recorder]:
    """Serve what `sandbox` serves, and write down what comes."""
    recorder = Recorder()
    address = urlsplit(sandbox).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _pass_on(self) -> None:
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length is not None else b""
            if "AuthService.svc" not in self.path:
                content_type = self.headers.get("Content-Type")
                recorder.headers = {name.lower(): value for name, value in self.headers.items()}
                path = re.sub(r"&_=[0-9a-f]+$", "", self.path)  # each reading has another
                recorder.requests.append(ReceivedRequest(self.command, path, content_type, body))
            else:
                recorder.sign_ins += 1
            with closing(http.client.HTTPConnection(address, timeout=300)) as connection:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                reply = connection.getresponse()
                answer = reply.read()
                self.send_response(reply.status)
                for name, value in reply.getheaders():
                    if name.lower() not in _OF_THE_CONNECTION | {"content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815  names that `http.server` looks for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
