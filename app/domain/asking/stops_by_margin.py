"""A margin at which enough is known has to tell something of the score it is about."""

from app.domain.asking.asking import Asking
from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.scores.metric import Formula, Metric


def check_margin_tells(asking: Asking, metric: Metric) -> None:
    """Of a mean the margin is in its own steps, of all others in points out of a hundred. Raises AskingInvalid."""
    if metric.formula is not Formula.MEAN or asking.stop is None or asking.stop.margin is None:
        return
    known_anyway = (metric.highest - metric.lowest) / 2
    if asking.stop.margin >= known_anyway:
        detail = (
            f"A mean between {metric.lowest} and {metric.highest} is known within ± {known_anyway:g} before anybody "
            "answers: its margin is smaller than that."
        )
        raise AskingInvalid(detail, pointer="/asking/stop/margin")
