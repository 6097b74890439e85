"""Every verb on one page."""

import os
from argparse import ArgumentParser, _SubParsersAction
from importlib.metadata import version
from pathlib import Path

from app.domain.keys import EVERYTHING, KeyKind
from app.domain.scores.metric import MetricKey

Verbs = _SubParsersAction  # argparse has no public name for it


def parser() -> ArgumentParser:
    zeroten = ArgumentParser(prog="zeroten", description="A self-hosted Net Promoter service.")
    zeroten.add_argument("--version", action="version", version=f"%(prog)s {version('zeroten')}")
    verbs = zeroten.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    _running(verbs)
    _setting_up(verbs)
    _looking(verbs)
    _trying(verbs)
    return zeroten


def _running(verbs: "Verbs[ArgumentParser]") -> None:
    up = verbs.add_parser("up", help="run everything: PostgreSQL, migrations, API, worker")
    up.add_argument("--dev", action="store_true", help="let webhooks reach this machine; log for people")
    verbs.add_parser("api", help="run one API process")
    verbs.add_parser("worker", help="run one worker process")
    verbs.add_parser("migrate", help="bring the database to this version's schema")
    verbs.add_parser("adopt", help="let a restored or copied database send again")


def _setting_up(verbs: "Verbs[ArgumentParser]") -> None:
    workspace = verbs.add_parser("workspace", help="make a workspace with its keys, or list them")
    acts = workspace.add_subparsers(metavar="ACT", dest="act", required=True)
    create = acts.add_parser("create", help="a live and a test workspace, with a key of each kind")
    create.add_argument("name")
    create.add_argument("--time-zone", default="UTC", help="decides when a day ends, such as Europe/Berlin (UTC)")
    acts.add_parser("list", help="every workspace and its id")

    key = verbs.add_parser("key", help="make an API key").add_subparsers(metavar="ACT", dest="act", required=True)
    create = key.add_parser("create", help="shown once, then only its hash is kept")
    create.add_argument("--workspace", required=True, metavar="ID", help="ws_…; see `zeroten workspace list`")
    create.add_argument("--kind", choices=[kind.value for kind in KeyKind], default=KeyKind.SECRET.value)
    create.add_argument("--name", default="made on the command line")
    create.add_argument("--scopes", default=EVERYTHING, help="of a secret key, with commas between them (all)")
    create.add_argument("--origins", default="", help="of a publishable key: where it works, such as https://a.example")
    create.add_argument("--days", type=int, help="until it expires (never)")


def _looking(verbs: "Verbs[ArgumentParser]") -> None:
    verbs.add_parser("doctor", help="check the installation; recount every score")
    openapi = verbs.add_parser("openapi", help="print the API's description")
    openapi.add_argument("--write", type=Path, metavar="FILE", help="instead of printing")
    nps = verbs.add_parser("nps", help="the score of any CSV file, without a database")
    nps.add_argument("file", metavar="FILE", help="a table with a header row; - reads standard input")
    nps.add_argument("--column", help="where the scores are (score, nps, rating, value or answer)")
    nps.add_argument("--metric", choices=[key.value for key in MetricKey], default=MetricKey.NPS.value)


def _trying(verbs: "Verbs[ArgumentParser]") -> None:
    """For developers of receivers. The service may run elsewhere."""
    listen = verbs.add_parser("listen", help="print events as they happen; forward them as webhooks")
    listen.add_argument("--forward-to", metavar="URL", help="where your receiver listens on this machine")
    listen.add_argument("--types", default="", help="of events, with commas between them (all)")
    listen.add_argument("--json", action="store_true", help="one JSON object a line")
    listen.add_argument("--secret", metavar="whsec_…", help="to sign with (a new one each time)")
    place = listen.add_mutually_exclusive_group()
    place.add_argument("--cursor", default="end", help="where an earlier run has ended (only what comes from now on)")
    place.add_argument("--after", metavar="evt_…", help="begin with what follows this event")
    trigger = verbs.add_parser("trigger", help="make an event happen in the test workspace")
    trigger.add_argument("event", metavar="EVENT", help="such as response.detractor")
    for verb in (listen, trigger):
        url = os.environ.get("ZEROTEN_URL", "http://127.0.0.1:8010")
        verb.add_argument("--url", default=url, help="of the service (ZEROTEN_URL, or this machine)")
        verb.add_argument("--key", help="a secret key (ZEROTEN_KEY, which others on this machine cannot see)")
