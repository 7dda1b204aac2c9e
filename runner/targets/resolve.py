"""A target made ready for a run: templates evaluated, certificates read. Messages name variables and files only."""

import re
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from runner.expressions import parse
from runner.expressions.evaluate import EvaluationError, Scope, render
from runner.expressions.parse import Template
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, UsageError
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, JsonObject, is_well_formed
from runner.secrets.written_out import NOT_DEFINED, is_macro
from runner.service.site import PREFIXES, Site
from runner.targets import values
from runner.targets.keys import EVALUATED, KEYS
from runner.targets.model import Keys, SiteTarget

_CERTIFICATE = lazy_pattern(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_UNREPLACED = lazy_pattern(r"\s*\$\{\w+\}\s*")
_SINGLE = [key for key in EVALUATED if key not in ("auth", "headers")]  # the keys whose value is a text


def resolve(
    target: SiteTarget, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> SiteTarget | tuple[Problem, ...]:
    """The target without templates, with normal addresses. `read_file` raises `OSError` or `UnicodeDecodeError`."""
    texts = _Texts(environment=environment, read_file=read_file)
    read = {key: texts.read(target, key, text) for key, text in _written(target).items()}
    problems = tuple(value for value in read.values() if isinstance(value, Problem))
    if problems:
        return problems
    found = {key: value for key, value in read.items() if isinstance(value, str)}
    ready = _site(target, found)
    if ready.auth is not None and ready.auth.kind.by_identity_service and ready.identity_url is None:
        return (_at(target, ("auth",), Finding(code="E142", message=values.NO_IDENTITY, hint=values.IDENTITY_HINT)),)
    return replace(ready, read=tuple(dict.fromkeys(texts.secret)))


def resolve_url(
    target: SiteTarget, *, environment: Mapping[str, str], read_file: Callable[[str], str]
) -> str | Problem:
    """The address of a target alone, without its template: nothing else of it has to be known for that."""
    url = _Texts(environment=environment, read_file=read_file).read(target, ("url",), target.url)
    return url if isinstance(url, Problem) else url.rstrip("/")


def variables_of(target: SiteTarget) -> tuple[str, ...]:
    """The environment variables that the templates of a target read, in the order of its keys."""
    templates = (parse.target_template(text) for text in _written(target).values() if "{{" in text)
    return tuple(dict.fromkeys(name for template in templates for name in _variables(template)))


def files_of(target: SiteTarget) -> tuple[str, ...]:
    """The files that the templates of a target read, in the order of its keys, as far as no variable names them."""
    found: dict[str, None] = {}

    def note(path: Json) -> Json:
        found[str(path)] = None
        return ""

    for text in _written(target).values():
        template = parse.target_template(text) if "{{" in text else None
        if template is not None and "file" in template.functions and not _variables(template):
            with suppress(EvaluationError):
                render(template, Scope(names={"env": JsonObject()}, functions={"file": note}))
    return tuple(found)


class _Texts(Struct, kw_only=True):
    """Evaluates the templates of a target, and notes what was read for its `secret` keys."""

    environment: Mapping[str, str]
    read_file: Callable[[str], str]
    secret: list[str] = field(default_factory=list)

    def read(self, target: SiteTarget, key: Keys, text: str) -> str | Problem:
        """A text of a target with its template evaluated, or what is wrong."""
        try:
            value = self._worked_out(text, note=self.secret if KEYS[key[0]].secret else [])
        except UsageError as unready:
            return _at(target, key, unready.problems[0])
        wrong = _mistake(key, value, plain_http=target.plain_http)
        if wrong is not None and not value and (names := _variables(parse.target_template(text))):
            wrong = replace(wrong, hint=f"set the environment variable `{names[0]}`: it has no value")
        return value if wrong is None else _at(target, key, wrong)

    def _worked_out(self, text: str, *, note: list[str]) -> str:
        if "{{" not in text:
            return text
        template = parse.target_template(text)
        variables: JsonObject = {
            name: self.environment[name] for name in _variables(template) if name in self.environment
        }
        for name, given in variables.items():
            if not is_well_formed(str(given)):
                raise UsageError(Problem(code="E159", message=f"the environment variable `{name}` is not UTF-8"))
            if is_macro(str(given)):
                message = f"the environment variable `{name}` has no value of its own: {NOT_DEFINED}"
                hint = "define the variable in the pipeline, or in a group of variables that the pipeline names"
                raise UsageError(Problem(code="E142", message=message, hint=hint))
            if _UNREPLACED.fullmatch(str(given)):
                message = f"the environment variable `{name}` holds `${{…}}`, the name of a variable, and not its value"
                raise UsageError(Problem(code="E142", message=message, hint="set it to the value itself"))
            note.append(str(given))

        def content(path: Json) -> Json:
            note.append(_content(path, self.read_file))
            return note[-1]

        try:
            value = render(template, Scope(names={"env": variables}, functions={"file": content}))
        except EvaluationError as error:
            raise UsageError(_why_not(error, template, self.environment)) from None
        if not isinstance(value, str | None):
            raise UsageError(Problem(code="E142", message="its template gives no text"))
        return value or ""


def _written(target: SiteTarget) -> dict[Keys, str]:
    """Every text of a target that may hold a template."""
    single = {(key,): getattr(target, key) for key in _SINGLE}
    auth = {} if target.auth is None else target.auth.by_key
    return {
        **{key: text for key, text in single.items() if text is not None},
        **{("auth", key): text for key, text in auth.items()},
        **{("headers", name): text for name, text in target.headers},
    }


def _site(target: SiteTarget, found: Mapping[Keys, str]) -> SiteTarget:
    auth, url = target.auth, found[("url",)].rstrip("/")
    identity = values.without_token_path(found.get(("identity_url",), "")) or None
    if auth is not None:
        auth = replace(auth, texts=tuple(found["auth", key] for key in auth.kind.keys))
        if identity is None and auth.kind.by_identity_service:
            identity = values.identity_in_the_cloud(url)
    headers = tuple((name, found["headers", name]) for name, _ in target.headers)
    proxy = values.proxy_url(found.get(("proxy",), "")) or None
    ready = {"url": url, "identity_url": identity, "auth": auth, "headers": headers, "proxy": proxy}
    return replace(target, **{**{key: found.get((key,)) for key in _SINGLE}, **ready})


def _variables(template: Template) -> list[str]:
    return [str(name.path[1]) for name in template.names if name.path[0] == "env" and len(name.path) > 1]


def _content(path: Json, read_file: Callable[[str], str]) -> str:
    """The text of a file, without its last line end."""
    try:
        return read_file(str(path)).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        hint = "save it as UTF-8" if isinstance(error, UnicodeDecodeError) else None
        hint = hint if str(path).isprintable() else "write `/` for each backslash: `\\t` is a tab"
        message = f"the file `{path}` cannot be read: {reason}"
        raise UsageError(Problem(code="E142", message=message, hint=hint)) from None


def _why_not(error: EvaluationError, template: Template, environment: Mapping[str, str]) -> Problem:
    missing = [name for name in _variables(template) if name not in environment]
    if not missing:
        shown = error.without_values(template.text)
        return Problem(code="E142", message=shown.message, hint=shown.hint)
    message = f"the environment variable `{missing[0]}` is not set"
    near = did_you_mean(missing[0], [name for name in environment if len(name) > 1])
    hint = f"{near} that variable is set" if near else "set it, or choose another target with `-t`"
    return Problem(code="E142", message=message, hint=hint)


def _mistake(key: Keys, value: str, *, plain_http: bool) -> Finding | None:
    found = KEYS[key[0]]
    if value or found.mistake is not None:
        return found.wrong(value, plain_http=plain_http)
    return Finding(code="E134" if key[0] == "auth" else "E142", message="it is empty")


def _at(target: SiteTarget, key: Keys, problem: Problem | Finding) -> Problem:
    """The problem with the target's name and the value's key, and with its place where that is in a file."""
    message = f"target `{target.name}`, `{'.'.join(key)}`: {problem.message}"
    named = Problem(code=problem.code, message=message, hint=problem.hint)
    return named if target.placed is None else target.placed(named, key)


def read_authorities(site: SiteTarget, read_file: Callable[[str], str]) -> str | Problem | None:
    """The certificates in the `ca_file` of a site that was made ready, in PEM; None where it has no such file."""
    if site.ca_file is None:
        return None
    path = str(site.beside / Path(site.ca_file))
    try:
        content = read_file(path)
    except UnicodeDecodeError:
        return _unfit(site, path, "it is not PEM, which is text")
    except OSError as error:
        message = f"the file `{path}` cannot be read: {error.strerror or error}"
        return _at(site, ("ca_file",), Finding(code="E142", message=message))
    found = "\n".join(_CERTIFICATE.findall(content))
    if not found:
        return _unfit(site, path, "it holds no certificate in PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError) as error:
        return _unfit(site, path, f"a certificate in it is broken: {getattr(error, 'reason', None) or error}")
    return found


def _unfit(site: SiteTarget, path: str, why: str) -> Problem:
    hint = "a certificate in PEM begins with `-----BEGIN CERTIFICATE-----`; `openssl x509 -inform der` makes PEM of DER"
    return _at(site, ("ca_file",), Finding(code="E142", message=f"`{path}` cannot be used: {why}", hint=hint))


def site_of(target: SiteTarget, *, authorities: str | None = None) -> Site:
    """Where calls to a target that was made ready go."""
    return Site(
        url=target.url,
        prefix=PREFIXES[target.runtime],
        calls=target.calls,
        identity_url=target.identity_url,
        headers=target.headers,
        authorities=authorities,
        proxy=target.proxy,
    )


def secret_texts(site: SiteTarget) -> Iterator[tuple[str, str]]:
    """What of a ready site must not be seen, by its place: `auth`, `headers`, `proxy`, and their form on the wire."""
    for key, text in ({} if site.auth is None else site.auth.by_key).items():
        yield f"target.auth.{key}", text
    for text in site.read:  # also where it is a part of a value only
        yield "target.read", text
    for name, value in site.headers:
        scheme, _, rest = value.partition(" ")  # also what follows a word such as `Bearer`
        for text in (value, rest.strip(), *(_named(rest) if scheme.lower() == "basic" else ())):
            yield f"target.headers.{name}", text
    if site.proxy is not None:
        yield from _proxy_secrets(site.proxy)


def _named(basic: str) -> tuple[str, ...]:
    """User and password of a header `Basic …`, and the password alone."""
    try:
        both = b64decode(basic.strip(), validate=True).decode()
    except ValueError:
        return ()
    return both, both.partition(":")[2]


def _proxy_secrets(url: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    username, password = parts.username or "", parts.password or ""
    yield "target.proxy", url
    yield "target.proxy", parts.netloc.rpartition("@")[0]
    for text in (username, unquote(username)):
        yield "target.proxy.username", text
    for text in (password, unquote(password)):
        yield "target.proxy.password", text
    named = f"{unquote(username)}:{unquote(password)}"
    yield "target.proxy.authorization", b64encode(named.encode()).decode() if username else ""
