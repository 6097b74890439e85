"""`make demo`: all of it, from nothing, and then the service is yours. ONCE=1 stops when all has been shown."""

import os
import signal
import sys

from rich.console import Console
from rich.panel import Panel

from demo.api import Refused
from demo.receiver import Receiver
from demo.service import Service, ServiceFailed, started
from demo.story import Story


def main() -> int:
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with started() as service, Receiver().running() as receiver:
            Story(console, service, receiver).tell()
            if os.environ.get("ONCE", "") not in {"", "0"}:
                return 0
            _leave_it_running(console, service)
    except (ServiceFailed, Refused) as failed:
        console.print(f"[red]✗[/red] {type(failed).__name__}:", str(failed), highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left.")
    return 0


def _leave_it_running(console: Console, service: Service) -> None:
    keys = "\n".join(f"{kind:<11} {mode}   {token}" for (kind, mode), token in service.keys.items())
    told = f"{service.address}\n\n{keys}\n\nIts log is {service.log}. Ctrl-C stops it and removes everything."
    console.print(Panel(told, title="It is yours to try", title_align="left", expand=False, highlight=False))
    console.print(
        f"curl -H 'Authorization: Bearer {service.keys['secret', 'live']}' {service.address}/v1/scores",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    service.until_ended()
    raise ServiceFailed("The service ended by itself.")


if __name__ == "__main__":
    sys.exit(main())
