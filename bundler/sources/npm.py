"""Models in npm packages, fetched by the user's own `npm`: its registry, proxy and login apply."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from bundler.disk import digest, files
from bundler.disk.cache import Cache, Facts
from bundler.disk.digest import integrity
from bundler.errors import SourceError, within
from bundler.progress import Progress, step
from bundler.sources import archive
from bundler.sources.listing import Tree
from bundler.threads import undone_by

__all__ = ["file_of", "find", "key", "modules", "tree"]

_PACKAGE = r"(?P<package>(?:@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*)"
_EXACT = r"(?P<version>\d+\.\d+\.\d+(?:[-+][a-z0-9.+-]+)?)"
_TAG = r"(?P<tag>[a-z][a-z0-9-]*)"
_INSIDE = r"(?:/(?P<inside>.*))?"
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL
_VERSION = re.compile(_EXACT, _FLAGS)
_SOURCE = re.compile(rf"npm:{_PACKAGE}@{_EXACT}{_INSIDE}", _FLAGS)
_OPEN = re.compile(rf"npm:{_PACKAGE}(?:@{_TAG})?{_INSIDE}", _FLAGS)
"""What these patterns accept is never an option, a path, a URL or syntax of a shell."""

_OFFLINE = "is this machine online? `npm ping` asks the same registry, with the same settings"
_HINTS = {
    "E401": "`npm login` logs in to the registry",
    "E403": "`npm login` logs in to the registry",
    "E404": "is the name right? `npm view {name}` asks the same registry; for a private package, `npm login` logs in",
    "ETARGET": "`npm view {name} versions` lists the versions",
    **dict.fromkeys(("EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT"), _OFFLINE),
}
"""Hints by npm's codes of errors."""
_SAID = 1 << 20
"""Bytes of npm's output that are read."""
_SHOWN = 1000
"""Characters of npm's output that an error shows."""
_STARTING = 0.5
"""Seconds that an interrupt waits for npm to be started."""
_TIMEOUT = 1800
"""Seconds for one package; npm itself limits each request to fewer."""


class _Wanted(NamedTuple):
    package: str
    inside: str

    @property
    def key(self) -> str:
        return f"npm:{self.package}"


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at `npm:<package>@<exact version>/<path>`; without a path, the only model.json."""
    with within(source):
        wanted = _parse(source)
        return archive.locate(_unpacked(wanted, base, cache, progress), wanted.inside)


def key(source: str) -> str:
    """The key under which the cache keeps the package of a source."""
    return _parse(source).key


def tree(source: str, base: Path, cache: Cache, progress: Progress) -> Tree:
    """The package; one without a version is the newest, and one with a tag (`@next`) the newest of that tag."""
    with within(source):
        wanted = _parse(_exact(source, base, cache, progress))
        return Tree(_unpacked(wanted, base, cache, progress), wanted.inside, f"{wanted.key}/")


def _exact(source: str, base: Path, cache: Cache, progress: Progress) -> str:
    """The source with an exact version. SourceError if a run that is offline would have to ask for it."""
    parsed = _OPEN.fullmatch(source)
    if parsed is None:
        return source
    package, tag, inside = parsed["package"], parsed["tag"] or "latest", parsed["inside"]
    if cache.reach.offline:
        hint = f"give an exact version: npm:{package}@1.2.3"
        raise SourceError("only npm knows the version, and this run is offline", found=f"@{tag}", hint=hint)
    with step(progress, f"npm view {package}"):
        version = _newest(f"{package}@{tag}", base)
    progress.note(f"npm:{package}@{tag} is version {version}")
    return f"npm:{package}@{version}" + ("" if inside is None else f"/{inside}")


def _newest(package: str, base: Path) -> str:
    """The exact version that npm has for `name@tag`."""
    said = _output(["view", "--json", "--", package, "version"], package, base)
    version = said.strip().strip('"')
    if not _VERSION.fullmatch(version):
        raise SourceError("npm gave no version of the package", found=files.spelled(said), expected="1.2.3")
    return version


def file_of(source: str, sha256: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """One file of a package, of which the cache keeps no other: `npm:<package>@<exact version>/<path>`.

    Raises SourceError if it cannot be fetched, or has another sha256; Damaged if the cached one has.
    """
    with within(source):
        wanted = _parse(source)
        kept = cache.fetched(source, lambda folder, _: _fetch_file(wanted, sha256, folder, base, progress))
        path = kept / PurePosixPath(wanted.inside).name
        cache.check(kept, {path.name: digest.sha256(path)})
        return path


def modules(key: str, packages: Mapping[str, str], base: Path, cache: Cache, progress: Progress) -> Path:
    """A folder `node_modules` with packages, `npm:<package>@<exact version>`, each of which has a known integrity.

    The cache keeps them together under the key. Raises SourceError if one cannot be fetched, or is another; Damaged if
    a cached file is.
    """
    with within(key):
        kept = cache.fetched(key, lambda folder, _: _fetch_modules(packages, folder, base, progress))
        cache.check(kept)
        return kept / "node_modules"


def _fetch_modules(packages: Mapping[str, str], folder: Path, base: Path, progress: Progress) -> Facts:
    for number, (source, expected) in enumerate(packages.items()):
        package = _parse(source).package
        whole = folder.with_name(f"package.{number}") / "whole"
        whole.mkdir(parents=True)
        _fetch(package, whole, base, progress, expected)
        place = folder / "node_modules" / package.rpartition("@")[0]
        place.parent.mkdir(parents=True, exist_ok=True)
        _root(whole).rename(place)
    return packages


def _fetch_file(wanted: _Wanted, sha256: str, folder: Path, base: Path, progress: Progress) -> Facts:
    whole = folder.with_name("whole")
    whole.mkdir()
    facts = _fetch(wanted.package, whole, base, progress)
    path = archive.locate(_root(whole), wanted.inside)
    found = digest.sha256(path)
    if found != sha256:
        raise SourceError("the package has another file than expected", found=found, expected=sha256)
    shutil.copyfile(path, folder / path.name)
    return facts


def _parse(source: str) -> _Wanted:
    parsed = _SOURCE.fullmatch(source)
    if parsed is None:
        raise SourceError(
            "is no package with an exact version",
            expected="npm:<package>@<version>/<path>, as in npm:@scope/name@1.2.3/model/model.json",
            hint="`npm view <package> version` shows the newest version",
        )
    return _Wanted(f"{parsed['package']}@{parsed['version']}", parsed["inside"] or "")


def _unpacked(wanted: _Wanted, base: Path, cache: Cache, progress: Progress) -> Path:
    return _root(cache.fetched(wanted.key, lambda folder, _: _fetch(wanted.package, folder, base, progress)))


def _fetch(package: str, folder: Path, base: Path, progress: Progress, expected: str = "") -> Facts:
    """Unpack the package into an empty folder. npm asks its registry, also if it has the answer.

    SourceError if the package has another integrity than is expected.
    """
    with step(progress, f"npm pack {package}"):
        tarballs = folder.with_name("npm")
        tarballs.mkdir()
        _pack(package, tarballs, base)
        tarball = _tarball(tarballs)
        found = integrity(tarball)
        if expected and found != expected:
            raise SourceError("npm gave another package than expected", where=package, found=found, expected=expected)
        archive.unpack(tarball, folder)
        return {"integrity": found}


def _tarball(folder: Path) -> Path:
    """The tarball that npm wrote. Its name depends on the package's own name."""
    found = [path for path in folder.iterdir() if path.suffix == ".tgz" and path.is_file()]
    if len(found) != 1:
        raise SourceError("npm ended well, but gave no package", found=f"{len(found)} files", expected="one .tgz file")
    return found[0]


def _pack(package: str, folder: Path, base: Path) -> None:
    """Have npm write the package's tarball to `folder`. npm runs in `base`, which may have an .npmrc."""
    options = ["--ignore-scripts", "--json", "--pack-destination", str(folder), "--prefer-online"]
    _output(["pack", *options, "--", package], package, base)


def _output(arguments: Sequence[str], package: str, base: Path) -> str:
    """What npm writes to standard output. SourceError, in npm's words, if it fails for this package."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError(
            "npm is not installed, and it fetches packages",
            hint="install Node.js, or download the package's .tgz and name that file",
        )
    # Files, as pipes are read into memory: npm's output has the package's list of files, and the registry's answers.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        status = _run([npm, *arguments], base, stdout, stderr)
        if status:
            raise _failed(package, _said(stdout), _said(stderr))
        return _said(stdout)


def _run(command: Sequence[str], folder: Path, stdout: IO[bytes], stderr: IO[bytes]) -> int:
    """Run npm and return its exit status. If the wait ends early, npm and the programs that it started are killed."""
    started = Future[subprocess.Popen[bytes]]()
    try:
        # npm runs before Popen returns: an interrupt in between waits for the process, which it ends then.
        with undone_by(lambda: _end(started.result(_STARTING))):
            started.set_result(
                subprocess.Popen(
                    command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
                )
            )
            return started.result().wait(_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"npm did not finish in {_TIMEOUT} seconds", found=" ".join(command[-1:])) from error
    except OSError as error:
        raise SourceError("npm cannot be run", found=files.reason(error)) from error
    finally:
        if started.done():
            _end(started.result())


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _said(output: IO[bytes]) -> str:
    """The last bytes of an output."""
    output.seek(max(0, output.seek(0, os.SEEK_END) - _SAID))
    return output.read().decode("utf-8", "replace")


def _failed(package: str, stdout: str, stderr: str) -> SourceError:
    """The error for a package that npm did not fetch, with npm's own words and a hint by its code."""
    code = re.search(r'(?:"code": |code )"?(E[A-Z0-9_]+)', f"{stdout}\n{stderr}")
    hint = _HINTS.get(code[1] if code else "", "`npm view {package}` asks the same registry, with the same settings")
    name = package.rpartition("@")[0]
    return SourceError(
        "npm cannot fetch the package",
        found=_complaint(stdout, stderr),
        hint=hint.format(package=package, name=name),
    )


def _complaint(stdout: str, stderr: str) -> str:
    """The error message of npm: the summary in its JSON, or the last line of its log."""
    try:
        return str(json.loads(stdout)["error"]["summary"])[:_SHOWN]
    except (ValueError, KeyError, TypeError, RecursionError):
        lines = [line.strip() for line in stderr.splitlines() if line.strip() and "complete log" not in line]
        return lines[-1][:_SHOWN] if lines else "no explanation"


def _root(unpacked: Path) -> Path:
    """The one folder of a tarball that holds the package's files, mostly `package`."""
    children = list(unpacked.iterdir())
    return children[0] if len(children) == 1 and children[0].is_dir() else unpacked
