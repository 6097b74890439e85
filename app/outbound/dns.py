"""Asking the DNS on behalf of checks, and of nothing else: connections to others go by the machine's own resolver."""

from collections.abc import Sequence
from time import monotonic
from typing import TypeVar

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.name import EmptyLabel, LabelTooLong, NameTooLong
from dns.nameserver import Do53Nameserver
from dns.rdata import Rdata
from dns.rdtypes.txtbase import TXTBase
from dns.resolver import NXDOMAIN, NoResolverConfiguration

from app.domain.mail.domain_check.look_ups import Answer, LookUps, Question, Status

Result = TypeVar("Result")

QUESTION_SECONDS = 5.0  # other name servers and TCP included
CHECK_SECONDS = 60.0  # for all questions of one check; what is left then stays unanswered
EDNS_BYTES = 1_232  # larger replies are asked for again by TCP

UNKNOWN = Answer(Status.UNKNOWN)


class NameServers:
    """Those of the machine, where none are given."""

    def __init__(self, places: Sequence[tuple[str, int]] = (), *, question_seconds: float = QUESTION_SECONDS) -> None:
        self._resolver = _resolver_of(places)
        self._resolver.use_edns(0, 0, EDNS_BYTES)
        self._resolver.lifetime = question_seconds
        self._resolver.timeout = question_seconds / 2  # of one server, so that another gets its turn

    async def run(self, look_ups: LookUps[Result], *, seconds: float = CHECK_SECONDS) -> Result:
        """Asks no question twice."""
        ends_at, known = monotonic() + seconds, dict[Question, Answer]()
        try:
            question = next(look_ups)
            while True:
                if question not in known:
                    known[question] = await self._ask(question) if monotonic() < ends_at else UNKNOWN
                question = look_ups.send(known[question])
        except StopIteration as end:
            result: Result = end.value
            return result

    async def _ask(self, question: Question) -> Answer:
        try:
            found = await self._resolver.resolve(
                f"{question.name}.", question.type.value, search=False, raise_on_no_answer=False
            )
        except (NXDOMAIN, EmptyLabel, LabelTooLong, NameTooLong):
            return Answer(Status.NO_NAME)
        except (DNSException, OSError, UnicodeError):  # silent, or of no use
            return UNKNOWN
        records = tuple(sorted(_text_of(record) for record in found.rrset or ()))  # servers shuffle them
        return Answer(Status.FOUND if records else Status.NO_RECORD, records)


def _resolver_of(places: Sequence[tuple[str, int]]) -> Resolver:
    if places:
        resolver = Resolver(configure=False)
        resolver.nameservers = [Do53Nameserver(address, port) for address, port in places]
        return resolver
    try:
        return Resolver()
    except NoResolverConfiguration:
        return Resolver(configure=False)  # nobody to ask: every answer stays unknown


def _text_of(record: Rdata) -> str:
    """What others wrote is kept and shown, so nothing in it may be taken for more than a text."""
    text = b"".join(record.strings).decode(errors="replace") if isinstance(record, TXTBase) else record.to_text()
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
