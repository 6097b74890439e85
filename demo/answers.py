"""What they say: invented scores and comments, happier on the larger plans, and happier as the months pass."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from demo.people import Dice

Row = Mapping[str, str]

HISTORY = 1_800
MONTHS = 6
SCORES = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 1, 2, 3, 4, 5, 6)}
DETRACTOR_WEIGHTS = (1, 1, 2, 3, 3, 4, 6)
HAPPINESS = {"free": 0.40, "team": 0.50, "business": 0.56, "enterprise": 0.46}  # how many are promoters
UNHAPPINESS = {"free": 0.32, "team": 0.22, "business": 0.17, "enterprise": 0.20}
LEARNT = 0.10  # how much the first grows, and the second shrinks, from the first month to the last
COMMENTS = {
    "en": {
        "promoter": ("Set up in an afternoon, no nasty surprises.", "Your support answers before I finish my tea."),
        "passive": ("Good, but the export is clumsy.", "Does the job. The price is at the upper end."),
        "detractor": ("Two late deliveries in one month.", "I cannot find the invoice anywhere."),
    },
    "de": {
        "promoter": ("Läuft einfach. Danke!", "Der Kundendienst ist großartig."),
        "passive": ("Gut, aber die Suche ist langsam.", "Ganz ordentlich."),
        "detractor": ("Zum dritten Mal falsch geliefert.", "Seit der Umstellung finde ich nichts mehr."),
    },
    "fr": {
        "promoter": ("Simple, rapide, rien à redire.", "Une équipe à l’écoute."),
        "passive": ("Correct, sans plus.", "Bien, mais un peu cher."),
        "detractor": ("Colis arrivé abîmé.", "Toujours pas de réponse à mon message."),
    },
    "es": {
        "promoter": ("Rápido y sin complicaciones.", "Lo recomiendo a todo el mundo."),
        "passive": ("Está bien, pero falta documentación.", "Cumple."),
        "detractor": ("El pedido llegó incompleto.", "Demasiados pasos para algo sencillo."),
    },
    "pt": {
        "promoter": ("Atendimento nota dez.", "Funciona muito bem."),
        "passive": ("Bom, mas poderia ser mais barato.", "Atende."),
        "detractor": ("O entregador não apareceu.", "O aplicativo trava toda hora."),
    },
}


class Voices:
    """Everybody who answers, drawn from the file."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._rows, self._dice = rows, Dice(seed=11)
        self._occasions = 0

    def history(self, now: datetime) -> Iterator[dict[str, Any]]:
        """From before there was a Zeroten: dated, each with the id it had elsewhere, oldest first."""
        for number in range(HISTORY):
            age = MONTHS * 30 * (1 - number / HISTORY)
            answered_at = now - timedelta(days=max(age, 1.1))
            answer = self.answer(self.somebody(), progress=number / HISTORY)
            channel = self._dice.weighted(("email", "sms", "in_app", "link"), (60, 12, 16, 12))
            yield {**answer, "channel": channel, "answered_at": answered_at.isoformat(), "import_id": f"old-{number}"}

    def answer(self, row: Row, *, progress: float = 1.0) -> dict[str, Any]:
        """A score, a comment from two in five, and the delivery it is about."""
        band = self._band(row["plan"], progress)
        score = self._dice.weighted(SCORES[band], DETRACTOR_WEIGHTS if band == "detractor" else (1, 1))
        language = row["locale"].partition("-")[0]
        comments = COMMENTS.get(language, COMMENTS["en"])[band]
        self._occasions += 1
        return {
            "score": score,
            "comment": self._dice.one_of(comments) if self._dice.happens(0.4) else None,
            "language": row["locale"],
            "occasion": f"delivery {50_000 + self._occasions}",
            "recipient": {"external_id": row["external_id"]},
        }

    def somebody(self) -> Row:
        return self._dice.one_of(self._rows)

    def _band(self, plan: str, progress: float) -> str:
        promoters = HAPPINESS[plan] + LEARNT * (progress - 0.5)
        detractors = UNHAPPINESS[plan] - LEARNT * (progress - 0.5)
        return self._dice.weighted(
            ("promoter", "passive", "detractor"), (promoters, 1 - promoters - detractors, detractors)
        )
