"""Fetch the browser files of GraphiQL and React anew: ``make vendor``, which needs npm.

What comes in: three packages of the npm registry, at the versions and with the digests written here. What goes out: the
files that the gateway serves, in `gateway/web/vendor/graphiql`, and the list of their digests, which a test holds them
to. Done twice, it gives the same bytes. Two things are taken out: the fonts (350 KB, with licences of their own; the
page has the system's), and the names of source maps, which browsers' tools would ask the gateway for.

`NOTICES.txt` is written by hand: it names every package that is part of a bundle, with its licence. A bundle that has
another one stops here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACE: Final = Path(__file__).parents[1] / "gateway" / "web" / "vendor" / "graphiql"
NOTICES: Final = "NOTICES.txt"
DIGESTS: Final = "SHA256SUMS"

_FONT: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_SOURCE_MAP: Final = re.compile(r"\n?(?://[#@]\s*sourceMappingURL=.*|/\*[#@]\s*sourceMappingURL=[^*]*\*/)\s*$")
_PACKAGE: Final = re.compile(r"node_modules/((?:@[^/]+/)?[^/]+)")
_SIBLING: Final = re.compile(r"^(?:\.\./)+([^/]+)/")
_TITLE: Final = re.compile(r"^=== (.+)$", re.MULTILINE)
_SCOPED: Final = {f"graphiql-{name}": f"@graphiql/{name}" for name in ("react", "toolkit")} | {
    f"graphiql-plugin-{name}": f"@graphiql/plugin-{name}" for name in ("doc-explorer", "history")
}
"""Directories of the repository that GraphiQL is built in, and the packages that they are published as."""


@dataclass(frozen=True, slots=True)
class Source:
    """A package at a version, the digest of its archive, and which files are taken, by path in it."""

    name: str
    version: str
    digest: str
    files: tuple[str, ...]
    source_map: str = ""


SOURCES: Final = (
    Source(
        "graphiql",
        "4.1.2",
        "sha512-rNlzQIAzm6i2KBXmVQWBgLvt0TloxFVB2d18bukvdsvjEuFDHsKx5IVOomL1W1o5WW+tE54+ioHb2AEKzO2cUg==",
        ("graphiql.min.js", "graphiql.min.css"),
        "graphiql.min.js.map",
    ),
    Source(
        "react",
        "18.3.1",
        "sha512-wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
        ("umd/react.production.min.js",),
    ),
    Source(
        "react-dom",
        "18.3.1",
        "sha512-5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw==",
        ("umd/react-dom.production.min.js",),
    ),
)


class VendorError(Exception):
    """What came is not what is written here; the message says what."""


def main() -> int:
    """Write the files and the list of their digests."""
    try:
        PLACE.mkdir(parents=True, exist_ok=True)
        for source in SOURCES:
            for name, content in fetched(source):
                (PLACE / name).write_bytes(content)
        (PLACE / DIGESTS).write_text(digests(PLACE), encoding="utf-8")
    except VendorError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def fetched(source: Source) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one package, by name, as they are served.

    Raises:
        VendorError: the archive has another digest, or a bundle holds a package that `NOTICES.txt` does not name.
    """
    archive = _packed(source)
    found = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
    if found != source.digest:
        raise VendorError(f"{source.name} {source.version} has the digest {found}, not {source.digest}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        if source.source_map:
            _check_notices(packages(json.loads(_member(members, source.source_map))["sources"]))
        for path in source.files:
            yield Path(path).name, served(_member(members, path).decode()).encode()


def served(text: str) -> str:
    """Return a file without what browsers would ask for, and without fonts.

    >>> served('a{}@font-face {src: url(data:x)} b{}\\n/*# sourceMappingURL=style.css.map */')
    'a{}b{}\\n'
    >>> served('f()\\n//# sourceMappingURL=index.js.map')
    'f()\\n'
    """
    return _SOURCE_MAP.sub("", _FONT.sub("", text)).rstrip() + "\n"


def packages(sources: Iterable[str]) -> set[str]:
    """Return the packages that the sources of a bundle come from.

    >>> sorted(packages(["../node_modules/a/node_modules/@b/c/x.js", "../../graphiql-react/y.js", "../src/cdn.ts"]))
    ['@b/c', '@graphiql/react', 'graphiql']
    """
    found = set()
    for path in sources:
        inner, sibling = _PACKAGE.findall(path), _SIBLING.match(path)
        name = inner[-1] if inner else sibling[1] if sibling else "src"
        found.add("graphiql" if name == "src" else _SCOPED.get(name, name))
    return found


def noticed(notices: str) -> set[str]:
    """Return the packages that the titles of the notices name.

    >>> sorted(noticed("=== a, @b/c (MIT)"))
    ['@b/c', 'a']
    """
    return {name for title in _TITLE.findall(notices) for name in title.rpartition(" (")[0].split(", ")}


def digests(place: Path) -> str:
    """Return a list of the files of a directory and their digests, as ``sha256sum --check`` reads it."""
    paths = sorted(path for path in place.iterdir() if path.name != DIGESTS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def _packed(source: Source) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gateway-vendor-") as directory:
        command = ["npm", "pack", "--silent", f"{source.name}@{source.version}"]
        try:
            subprocess.run(command, cwd=directory, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as failure:
            raise VendorError(f"'{' '.join(command)}' failed: {failure}") from failure
        return next(Path(directory).glob("*.tgz")).read_bytes()


def _member(members: tarfile.TarFile, path: str) -> bytes:
    member = members.extractfile(f"package/{path}")
    assert member is not None
    return member.read()


def _check_notices(bundled: set[str]) -> None:
    missing = bundled - noticed((PLACE / NOTICES).read_text(encoding="utf-8"))
    if missing:
        raise VendorError(f"{NOTICES} does not name {', '.join(sorted(missing))}")


if __name__ == "__main__":
    sys.exit(main())
