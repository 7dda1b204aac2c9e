"""A client of a language server, as far as tests need one: opens a file, gets what is wrong, asks for completions."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, cast

from runner.foundation.values import Json, JsonObject

PATIENCE = 60.0


@dataclass
class Client:
    """`heard` are the messages that nobody has asked for yet."""

    send_to: IO[bytes]
    heard: "Queue[JsonObject]"
    settings: JsonObject
    said: list[JsonObject] = field(default_factory=list)
    number: int = 0

    def ask(self, method: str, parameters: Json) -> Json:
        self.number += 1
        number = self.number
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters})
        reply = self._next(lambda message: message.get("id") == number and "method" not in message)
        assert "error" not in reply, reply
        return reply.get("result")

    def notify(self, method: str, parameters: Json) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": parameters})

    def open(self, file: Path, text: str) -> None:
        document: JsonObject = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def diagnostics(self, file: Path) -> list[JsonObject]:
        """What the server says is wrong with a file, the next time it says anything of it."""
        message = self._next(
            lambda message: (
                message.get("method") == "textDocument/publishDiagnostics"
                and _record(message["params"])["uri"] == file.as_uri()
            )
        )
        return cast("list[JsonObject]", _record(message["params"])["diagnostics"])

    def completions(self, file: Path, line: int, character: int) -> set[str]:
        """The labels that complete a place, both counted from 0."""
        place: JsonObject = {"line": line, "character": character}
        found = self.ask("textDocument/completion", {"textDocument": {"uri": file.as_uri()}, "position": place})
        items = _record(found)["items"] if isinstance(found, dict) else found
        return {str(_record(one)["label"]) for one in cast("list[Json]", items)}

    def _next(self, fits: Callable[[JsonObject], bool]) -> JsonObject:
        """The next message that fits; the server's own questions are answered by the way."""
        end = time.monotonic() + PATIENCE
        while True:
            for index, message in enumerate(self.said):
                if fits(message):
                    return self.said.pop(index)
            try:
                message = self.heard.get(timeout=max(0.1, end - time.monotonic()))
            except Empty:
                raise AssertionError(f"the language server said nothing of it within {PATIENCE} s") from None
            if "method" in message and "id" in message:
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": self._answer(message)})
            else:
                self.said.append(message)

    def _answer(self, message: JsonObject) -> Json:
        if message["method"] != "workspace/configuration":
            return None
        items = cast("list[Json]", _record(message["params"])["items"])
        return [self.settings if _record(item).get("section") == "yaml" else None for item in items]

    def _send(self, message: JsonObject) -> None:
        body = json.dumps(message).encode()
        self.send_to.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.send_to.flush()


def _record(value: Json) -> JsonObject:
    assert isinstance(value, dict)
    return value


@contextmanager
def serving(command: list[str], folder: Path, settings: JsonObject) -> Iterator[Client]:
    """Start a language server for a folder, and stop it at the end."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    heard: Queue[JsonObject] = Queue()
    Thread(target=_listen, args=(process.stdout, heard), daemon=True).start()
    client = Client(send_to=process.stdin, heard=heard, settings=settings)
    try:
        client.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": {"workspace": {"configuration": True}, "textDocument": {"completion": {}}},
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "here"}],
            },
        )
        client.notify("initialized", {})
        yield client
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _listen(stream: IO[bytes], heard: "Queue[JsonObject]") -> None:
    while True:
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            return
        heard.put(json.loads(stream.read(length)))
