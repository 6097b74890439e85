"""Is this installation well? Ends with `rollups: exact`, or with every difference."""

import asyncio
from argparse import Namespace
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from app.cli.database import open_engine
from app.cli.place import read_settings, settled
from app.clock import utc_now
from app.config import Settings
from app.db.vault import Vault
from app.domain.diagnosis import Diagnosis, Severity, problem
from app.domain.mail.dead_links import DEAD_LINKS
from app.queries.doctor import examine

MARKS = {Severity.FINE: ("✓", "green"), Severity.WARNING: ("!", "yellow"), Severity.PROBLEM: ("✗", "red")}


def run(_: Namespace) -> int:
    diagnoses = asyncio.run(_examine(settled(read_settings())))
    _print(diagnoses)
    return 1 if any(diagnosis.severity is Severity.PROBLEM for diagnosis in diagnoses) else 0


async def _examine(settings: Settings) -> Sequence[Diagnosis]:
    vault = Vault.read(settings.secret_keys_text)
    engine = open_engine(settings)
    try:
        found = await examine(engine, vault, now=utc_now())
        return [problem("mail", "live mail is held back", DEAD_LINKS), *found] if settings.has_dead_links else found
    finally:
        await engine.close()


def _print(diagnoses: Sequence[Diagnosis]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for diagnosis in diagnoses:
        mark, colour = MARKS[diagnosis.severity]
        for detail in diagnosis.details:
            console.print(Text(f"    {detail}"))
        console.print(Text.assemble((f"{mark} ", colour), str(diagnosis)))
