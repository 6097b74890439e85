"""Three thousand people who do not exist. `python -m demo.people` writes recipients.csv, always the same."""

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TextIO, TypeVar

FILE = Path(__file__).parent / "recipients.csv"
PEOPLE, ACCOUNTS = 3_000, 460
FIRST_DAY, DAYS = date(2021, 1, 4), 1_980
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    locale: str
    time_zone: str
    share: int
    given: str
    family: str


COUNTRIES = (
    Country("DE", "de-DE", "Europe/Berlin", 24, "Anke Björn Jörg Katrin Lennart Mareike Sönke Tülay Uwe Wiebke",
            "Ackerbein Dornbusch Eulenfels Grünspan Hasenfuß Kieselbach Möwenthal Nebelung Sturmhöfel Zwiebelmann"),
    Country("AT", "de-AT", "Europe/Vienna", 6, "Alois Burgi Ferdl Leopoldine Resi Vinzenz Xaver Zenzi",
            "Almrauscher Gipfelmoser Krapfenbauer Lahnsteig Nockerlinger Obersbacher Rindstaller Wolkinger"),
    Country("FR", "fr-FR", "Europe/Paris", 14, "Amélie Benoît Chloé Étienne Gaëlle Loïc Maëlys Noé Océane Rémi",
            "Beaupré Chantemerle Deschênes Fauchereine Gâtineau Lespérance Montfleuri Préaulx Roqueville Vauclair"),
    Country("ES", "es-ES", "Europe/Madrid", 9, "Begoña Íñigo Lucía Macarena Nuño Paloma Rocío Santos",
            "Aldavista Brañaseca Cantarrana Espinosilla Fuentemilla Peñalosada Riosecillo Valdesotillo"),
    Country("BR", "pt-BR", "America/Sao_Paulo", 9, "Caíque Flávia Iara João Luísa Rondinelli Thaís Ubirajara",
            "Araripina Bonjardim Caetité Itamontês Jequitibá Mirassol Pedreirense Taquarituba"),
    Country("GB", "en-GB", "Europe/London", 12, "Alfie Bronwen Callum Eilidh Fergus Harriet Imogen Rhys",
            "Applethwick Brambleby Crosswater Fernhollow Larkendale Oatcroft Penderwick Thistleton"),
    Country("US", "en-US", "America/Chicago", 14, "Autumn Brantley Cheyenne Dakota Harlan Savannah Trevon Wyatt",
            "Birchcreek Coldsprings Dunmeadow Hackberry Lonepine Ridgefield Saltbrook Waycott"),
    Country("NL", "nl-NL", "Europe/Amsterdam", 4, "Femke Jorrit Lieke Marijn Sanne Teun",
            "Bosduin Grachtema Hoogkade Lindewater Molenvliet Veldzicht"),
    Country("PL", "pl-PL", "Europe/Warsaw", 4, "Bożena Grażyna Jędrzej Łucja Stanisław Zbyszek",
            "Brzozowiecki Dąbrówczak Jeziorański Leśniewek Wierzbołow Żurawkowski"),
    Country("JP", "ja-JP", "Asia/Tokyo", 4, "蒼太/Sota 美桜/Mio 陽向/Hinata 結月/Yuzuki 颯真/Soma 凛子/Rinko",
            "霧野/Kirino 星川/Hoshikawa 白鳥沢/Shiratorizawa 竹之森/Takenomori 雪代/Yukishiro 月岡/Tsukioka"),
)  # fmt: skip
PLANS = ("free", "team", "business", "enterprise")
ADJECTIVES = "Amber Blue Brisk Copper Crooked Gentle Golden Hidden Juniper Little Lucky Northern Quiet Silver Velvet"
NOUNS = "Anchor Badger Beacon Canal Finch Harbour Heron Kettle Lantern Meadow Orchard Otter Pebble Quarry Willow"
TRADES = "Bakery Books Dairy Foods Freight Health Hotels Logistics Media Outfitters Roasters Software Studio Tools"


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the file; every column after account_name is a property."""

    external_id: str
    email: str
    name: str
    locale: str
    time_zone: str
    account: str
    account_name: str
    plan: str
    country: str
    seats: int | str
    customer_since: date


@dataclass(frozen=True, slots=True)
class Account:
    number: int
    name: str
    country: Country
    plan: str
    seats: int


def people() -> Iterator[Person]:
    dice = Dice()
    accounts = [_account(number, dice) for number in range(1, ACCOUNTS + 1)]
    taken: set[str] = set()
    for number in range(1, PEOPLE + 1):
        account = dice.one_of(accounts) if dice.happens(0.82) else None
        yield _person(number, account, dice, taken)


def _account(number: int, dice: "Dice") -> Account:
    name = " ".join(dice.one_of(words.split()) for words in (ADJECTIVES, NOUNS, TRADES))
    plan = dice.weighted(PLANS, (10, 48, 30, 12))
    seats = {"free": 3, "team": 12, "business": 60, "enterprise": 400}[plan]
    return Account(number, name, _country(dice), plan, seats + dice.below(seats * 2))


def _country(dice: "Dice") -> Country:
    return dice.weighted(COUNTRIES, [country.share for country in COUNTRIES])


def _person(number: int, account: Account | None, dice: "Dice", taken: set[str]) -> Person:
    country = account.country if account and dice.happens(0.9) else _country(dice)
    given, plain_given = _spelled(dice.one_of(country.given.split()))
    family, plain_family = _spelled(dice.one_of(country.family.split()))
    host = f"{_plain(account.name)}-{account.number}" if account else "post"
    return Person(
        external_id=f"C-{100_000 + 7 * number}",
        email=_unused(f"{plain_given}.{plain_family}", f"{host}.example.test", taken),
        name=f"{family} {given}" if country.code == "JP" else f"{given} {family}",
        locale=country.locale,
        time_zone=country.time_zone,
        account=f"A-{account.number:04}" if account else "",
        account_name=account.name if account else "",
        plan=account.plan if account else "free",
        country=country.code,
        seats=account.seats if account else "",
        customer_since=FIRST_DAY + timedelta(days=dice.below(DAYS)),
    )


def _spelled(name: str) -> tuple[str, str]:
    """As it is written, and as it stands in an address."""
    written, _, latin = name.partition("/")
    return written, _plain(latin or written)


def _plain(text: str) -> str:
    letters = text.translate({ord("ß"): "ss", ord("ł"): "l", ord("Ł"): "L", ord(" "): "-"})
    return unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode().lower()


def _unused(local: str, host: str, taken: set[str]) -> str:
    number, address = 1, f"{local}@{host}"
    while address in taken:
        number += 1
        address = f"{local}{number}@{host}"
    taken.add(address)
    return address


class Dice:
    """Falls the same way in every Python: of `random`, only random() itself is promised to."""

    def __init__(self, seed: int = 7) -> None:
        self._random = Random(seed).random

    def happens(self, probability: float) -> bool:
        return self._random() < probability

    def below(self, limit: int) -> int:
        return int(self._random() * limit)

    def one_of(self, things: Sequence[Thing]) -> Thing:
        return things[self.below(len(things))]

    def weighted(self, things: Sequence[Thing], weights: Sequence[float]) -> Thing:
        point = self._random() * sum(weights)
        for thing, weight in zip(things, weights, strict=True):
            point -= weight
            if point < 0:
                return thing
        return things[-1]


def write(file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in fields(Person)])
    writer.writerows(astuple(person) for person in people())


def read() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    with FILE.open("w", encoding="utf-8", newline="") as file:
        write(file)
