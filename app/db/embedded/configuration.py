"""What we tell PostgreSQL. Written anew at every start, outside its data directory."""

from collections.abc import Mapping
from pathlib import Path

# Only those who know the password, through a directory that only one user can enter.
HBA = """\
local  all          all  scram-sha-256
local  replication  all  scram-sha-256
"""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "cluster_name": "zeroten",
    # we restart it, since asked to stop amid a restart of its own, PostgreSQL 18 waits for ever
    "restart_after_crash": "off",
    # a durable commit is what a 201 promises
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # much is written, little is read at random: fewer, longer checkpoints
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",  # solid state
    "jit": "off",  # every statement of ours is short
    # the same everywhere, whatever the machine thinks
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, ymd",
    "lc_messages": "C.UTF-8",
    "default_text_search_config": "pg_catalog.simple",
    # a log without anybody's address: DETAIL and STATEMENT quote rows
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def configuration(*, sockets: Path, hba: Path, settings: Mapping[str, str]) -> str:
    """The text of postgresql.conf; `settings` win over ours."""
    places = {"unix_socket_directories": f'"{sockets}"', "hba_file": str(hba)}
    lines = {**SETTINGS, **places, **settings}
    return "".join(f"{name} = '{_quoted(value)}'\n" for name, value in lines.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
