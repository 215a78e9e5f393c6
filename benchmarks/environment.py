"""What the numbers depend on: machine, versions, settings."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import SYSTEM_PATH
from benchmarks.sides import php_crud_api, xmysql

_PACKAGES = (
    *("starlette", "uvicorn", "uvloop", "httptools", "asyncmy", "orjson", "SQLAlchemy", "PyMySQL"),
    *("graphql-core", "strawberry-graphql"),
)
_TOOLS = {
    "wrk": ("wrk", "--version"),
    "sysbench": ("sysbench", "--version"),
    "Node": ("node", "--version"),
    "nginx": ("nginx", "-v"),
}
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")


def describe(database: str, data: str, load: str) -> dict[str, str]:
    """Return the environment as the report shows it; ``database``, ``data`` and ``load`` describe this run."""
    facts = {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, shared by all",
        "system": f"{platform.system()} {platform.release()}, {_distribution()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "database": database,
        "data": data,
        "load": load,
    }
    facts.update({name: found for name, command in _TOOLS.items() if (found := _version_of(command))})
    facts.update(_peers())
    return facts


def load_average() -> str:
    """Return the machine's load average over one minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _peers() -> Iterator[tuple[str, str]]:
    script = Path(os.environ.get(php_crud_api.VARIABLE, ""))
    script = script / "api.php" if script.is_dir() else script
    if script.is_file():
        yield "php-crud-api", f"api.php with SHA-256 {sha256(script.read_bytes()).hexdigest()[:16]}, PHP {_php()}"
    given = os.environ.get(xmysql.VARIABLE)
    if given:
        places = (Path(given), Path(given).parent.parent, Path(given) / "node_modules" / "xmysql")
        found = next((place / "package.json" for place in places if _is_xmysql(place / "package.json")), None)
        if found:
            yield "xmysql", str(json.loads(found.read_text())["version"])


def _is_xmysql(path: Path) -> bool:
    return path.is_file() and json.loads(path.read_text()).get("name") == "xmysql"


def _php() -> str:
    try:
        return _version_of((php_crud_api.fpm(), "--version")) or "unknown"
    except Exception:
        return "unknown"


def _version_of(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": SYSTEM_PATH}
        )
    except OSError:
        return ""
    match = _VERSION.search(done.stdout + done.stderr)
    return match[0] if match else ""


def _commit() -> str:
    root = Path(__file__).resolve().parent.parent
    try:
        head = subprocess.run(
            ("git", "rev-parse", "--short", "HEAD"), cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ("git", "status", "--porcelain", "gateway"), cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + (", with changes in gateway/ since" if changed else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
