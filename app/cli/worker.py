"""One worker process."""

from argparse import Namespace

from app.cli.place import check_alone, read_settings, settled
from app.lifeline import end_with_parent
from app.logs import configure_logs
from app.workers import process


def run(_: Namespace) -> int:
    has_parent = end_with_parent()
    settings = settled(read_settings())
    configure_logs(settings.log_format, process="worker")
    if not has_parent:
        check_alone(settings)
    process.main(settings)
    return 0
