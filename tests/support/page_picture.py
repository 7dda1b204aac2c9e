"""The picture of the HTML report in the README: the page of a real run, as Chromium draws it.

Fonts differ between machines, so no two pictures are the same. What the page said when its picture was taken is in the
picture itself, as a text of PNG: with that a test sees that the page has changed since.
"""

import base64
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from selenium.webdriver import Chrome
from terminal_picture import CHANGING, ROOT

PICTURE = ROOT / "specs" / "report.png"
SHOP = ROOT / "tests" / "reports" / "shop"
SIZE = (960, 1400)
_KEYWORD = b"page\0\1\0\0\0"
"""Of a text chunk: its name, that it is compressed, and neither a language nor a translated name."""
_UP, _BYTES = 2, 3
"""The filter of PNG that takes a line from the line before; bytes of a pixel."""
_TARGETS = "runner: 1\ntargets:\n  staging: {sandbox: doubles}\n  production: {sandbox: production}\n"
_MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_SEEN = """
const seen = [...document.querySelectorAll('body *:not(svg, svg *)')].filter((each) => each.checkVisibility());
const kinds = new Set(seen.map((each) => `${each.tagName.toLowerCase()}.${each.className}`));
return [...[...kinds].sort(), ...document.body.innerText.split('\\n')];
"""
"""Kinds of elements, then the text. Where an element lies is a matter of fonts."""


def picture(folder: Path, browser: Chrome) -> bytes:
    """The PNG of a run that is carried out now, in a copy of the shop below `folder`."""
    page = _page(folder / "shop")
    width, height = SIZE
    light = {"media": "", "features": [{"name": "prefers-color-scheme", "value": "light"}]}
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", light)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    try:
        browser.get(page.as_uri())
        shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})["data"]
        lines = browser.execute_script(_SEEN)
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": False})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return _with_text(base64.b64decode(shot), _lasting(lines))


def text_of(png: bytes) -> str:
    """What the page said when this picture was taken; empty where the picture does not hold it."""
    texts = (content for kind, content in _chunks(png) if kind == b"iTXt" and content.startswith(_KEYWORD))
    return next((zlib.decompress(content.removeprefix(_KEYWORD)).decode() for content in texts), "")


def _page(folder: Path) -> Path:
    """The page of two jobs at two targets: at `production` the order is approved."""
    shutil.copytree(SHOP, folder)
    shutil.copytree(folder / "doubles", folder / "production")
    records = folder / "production" / "records.yaml"
    records.write_text(records.read_text(encoding="utf-8").replace("Aproved", "Approved"), encoding="utf-8")
    (folder / "targets.yaml").write_text(_TARGETS)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    runner = str(Path(sys.executable).with_name("runner"))
    jobs = ("jobs/order.job.yaml", "jobs/discounts.job.yaml")
    command = [runner, "run", *jobs, "-t", "staging", "-t", "production", "-q", "--report-html", "page.html"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    return folder / "page.html"


def _lasting(lines: list[str]) -> str:
    """What is seen, without what differs from run to run, and a hash of the styles that it is drawn with."""
    style = hashlib.sha256(files("runner.reports.html").joinpath("report.css").read_bytes()).hexdigest()
    texts = (re.sub(f"{_MOMENT}|{CHANGING}", "…", " ".join(line.split())) for line in lines)
    return "\n".join([style, *texts])


def _with_text(png: bytes, text: str) -> bytes:
    """The same picture with a text in it, and a quarter smaller: flat areas are packed best as they are."""
    chunks = [*_chunks(png)]
    packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
    header = next(content for kind, content in chunks if kind == b"IHDR")
    lines = _plain_lines(zlib.decompress(packed), struct.unpack(">I", header[:4])[0] * _BYTES)
    whole = (
        (b"IHDR", header),
        (b"iTXt", _KEYWORD + zlib.compress(text.encode(), 9)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in whole
    )


def _plain_lines(lines: bytes, width: int) -> bytes:
    """Lines of a picture, each of which is the difference to the line before: what Chromium writes for speed."""
    before, plain = bytes(width), b""
    for at in range(0, len(lines), width + 1):
        assert lines[at] == _UP
        line = lines[at + 1 : at + 1 + width]
        before = bytes((one + other) & 255 for one, other in zip(line, before, strict=True))
        plain += b"\0" + before
    return plain


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12
