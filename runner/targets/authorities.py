"""The certificates of private authorities, in the file that a target names: read, and found to be some."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path

from runner.foundation.problems import Problem
from runner.targets.model import SiteTarget

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def read_authorities(site: SiteTarget, read_file: Callable[[str], str]) -> str | Problem | None:
    """The certificates in the `ca_file` of a site that was made ready, in PEM; None where it has no such file.

    `read_file` raises `OSError` or `UnicodeDecodeError` where it cannot.
    """
    if site.ca_file is None:
        return None
    path = str(site.beside / Path(site.ca_file))
    try:
        content = read_file(path)
    except UnicodeDecodeError:
        return _unfit(site, path, "it is not PEM, which is text")
    except OSError as error:
        message = f"the file `{path}` cannot be read: {error.strerror or error}"
        return Problem(code="E142", message=f"target `{site.name}`, `ca_file`: {message}")
    found = "\n".join(_CERTIFICATE.findall(content))
    if not found:
        return _unfit(site, path, "it holds no certificate in PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError) as error:
        return _unfit(site, path, f"a certificate in it is broken: {getattr(error, 'reason', None) or error}")
    return found


def _unfit(site: SiteTarget, path: str, why: str) -> Problem:
    hint = "a certificate in PEM begins with `-----BEGIN CERTIFICATE-----`; `openssl x509 -inform der` makes one of DER"
    return Problem(code="E142", message=f"target `{site.name}`, `ca_file`: `{path}` cannot be used: {why}", hint=hint)
