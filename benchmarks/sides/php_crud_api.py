"""The peer php-crud-api under php-fpm (8 workers, opcache) and nginx, configured through its own environment variables.

Everything listens on 127.0.0.1 or a socket in the run's directory. Its defaults stand, but for the address of the
database; it has no authentication switched on. A second pool of the same size, at /linked, joins on the copy with
foreign keys. nginx opens a connection per request, as it does by default: kept
connections hold on to the workers, which gained no rate and made single pages wait for seconds.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Work
from benchmarks.processes import AbsentError, free_port, running, tool, wait_for
from benchmarks.shapes import LEAST_TOTAL, MANY, PER_PAGE, STATUS, ShapeName
from benchmarks.sides.side import Crm, HttpSide

VARIABLE = "PEER_PHP_CRUD_API"
WORKERS = 8
_LIST = f"/records/tblinvoices?filter=status,eq,{STATUS}&order=id,desc"
# The columns that the CRM fills and the database has no default for must be sent here.
_NOTE = {
    "rel_type": "customer",
    "rel_id": 1,
    "description": "Called about invoice {serial}",
    "addedfrom": 1,
    "dateadded": "2026-01-02 03:04:05",
}

_FPM = """\
[global]
daemonize = no
error_log = {directory}/php-fpm.log
"""
_POOL = """\
[{name}]
{user}
listen = {directory}/{name}.sock
listen.mode = 0666
pm = static
pm.max_children = {workers}
clear_env = yes
env[PHP_CRUD_API_ADDRESS] = "{crm.host}"
env[PHP_CRUD_API_PORT] = "{crm.port}"
env[PHP_CRUD_API_USERNAME] = "{crm.user}"
env[PHP_CRUD_API_PASSWORD] = "{crm.password}"
env[PHP_CRUD_API_DATABASE] = "{database}"
env[PHP_CRUD_API_CACHEPATH] = "{directory}/cache/{name}"
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
php_admin_value[opcache.memory_consumption] = 128
"""

_NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  fastcgi_buffers 16 64k;
  fastcgi_buffer_size 64k;
  keepalive_requests 100000000;
  server {{
    listen 127.0.0.1:{port};
    fastcgi_param SCRIPT_FILENAME {directory}/api.php;
    fastcgi_param SCRIPT_NAME /api.php;
    fastcgi_param PATH_INFO $uri;
    fastcgi_param REQUEST_URI $request_uri;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param SERVER_PROTOCOL $server_protocol;
    fastcgi_param SERVER_NAME $server_name;
    fastcgi_param SERVER_PORT $server_port;
    fastcgi_param REMOTE_ADDR $remote_addr;
    location / {{ fastcgi_pass unix:{directory}/www.sock; }}
    location /linked/ {{
      rewrite ^/linked(/.*)$ $1 break;
      fastcgi_pass unix:{directory}/linked.sock;
    }}
  }}
}}
"""


@contextmanager
def start_php_crud_api(crm: Crm) -> Iterator[HttpSide]:
    """Yield the peer.

    Raises:
        AbsentError: its variable is not set, or php-fpm or nginx is missing.
    """
    script = _script()
    php_fpm, nginx = fpm(), tool("nginx", package="nginx-light")
    directory, port = _prepared(crm, script), free_port()
    log = directory / "output.log"
    is_root = os.geteuid() == 0
    (directory / "fpm.conf").write_text(_FPM.format(directory=directory) + _pools(crm, directory, is_root=is_root))
    (directory / "nginx.conf").write_text(
        _NGINX.format(user="user nobody nogroup;" if is_root else "", directory=directory, port=port)
    )
    with (
        running([php_fpm, "--nodaemonize", "--fpm-config", str(directory / "fpm.conf")], log) as php,
        running([nginx, "-e", str(directory / "nginx.log"), "-c", str(directory / "nginx.conf")], log) as web,
    ):
        origin = f"http://127.0.0.1:{port}"
        wait_for(f"{origin}/records/tblinvoices/42", php, log)
        yield HttpSide(
            name="php-crud-api",
            processes=f"{WORKERS} (php-fpm, opcache) + 1 (nginx)",
            remark="peer; no auth",
            origin=origin,
            pids=(php.pid, web.pid),
            largest_key=crm.invoices,
            works={**_works(), **(_linked_works() if crm.linked else {})},
            rows=lambda body: body["records"],
        )


def _pools(crm: Crm, directory: Path, *, is_root: bool) -> str:
    user = "user = nobody\ngroup = nogroup" if is_root else ""
    databases = {"www": crm.database, **({"linked": crm.linked} if crm.linked else {})}
    return "".join(
        _POOL.format(name=name, database=database, user=user, directory=directory, workers=WORKERS, crm=crm)
        for name, database in databases.items()
    )


def _linked_works() -> dict[ShapeName, Work]:
    path = f"/linked{_LIST}&filter=total,ge,{LEAST_TOTAL}&size={PER_PAGE}&join=tblclients&join=tblitemable"
    return {"list_embeds": Work(path)}


def _works() -> dict[ShapeName, Work]:
    headers = {"Content-Type": "application/json"}
    return {
        "one": Work("/records/tblinvoices/{key}"),
        "list": Work(f"{_LIST}&filter=total,ge,{LEAST_TOTAL}&size={PER_PAGE}"),
        "list_total": Work(f"{_LIST}&filter=total,ge,{LEAST_TOTAL}&page=1,{PER_PAGE}"),
        "list_new_total": Work(f"{_LIST}&filter=total,ge,{{amount}}&page=1,{PER_PAGE}"),
        "create": Work("/records/tblnotes", "POST", json.dumps(_NOTE), headers),
        "create_many": Work("/records/tblnotes", "POST", json.dumps([_NOTE] * MANY), headers, rows=MANY),
    }


def _script() -> Path:
    given = os.environ.get(VARIABLE)
    if not given:
        raise AbsentError(f"{VARIABLE} does not name a checkout of php-crud-api, or its api.php")
    path = Path(given)
    script = path / "api.php" if path.is_dir() else path
    if not script.is_file():
        raise AbsentError(f"there is no api.php where {VARIABLE} says")
    return script


def fpm() -> str:
    """Return the path of php-fpm, which Debian names by its version.

    Raises:
        AbsentError: it is not installed.
    """
    names = [f"php-fpm{version}" for version in ("8.5", "8.4", "8.3", "8.2", "8.1")]
    return tool("php-fpm", *names, package="php-fpm, with php-mysql")


def _prepared(crm: Crm, script: Path) -> Path:
    """Return a directory that the unprivileged workers can read, with the script in it."""
    directory = crm.directory / "php-crud-api"
    crm.directory.chmod(0o711)
    for pool in ("www", "linked"):
        cache = directory / "cache" / pool
        cache.mkdir(parents=True)
        cache.chmod(0o777)
    shutil.copyfile(script, directory / "api.php")
    return directory
