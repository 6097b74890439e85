"""The buttons of a scale as HTML for other mail programs: tables and inline styles, since mail knows nothing else."""

from html import escape

from app.domain.scores.metric import Metric, MetricKey
from app.domain.survey.colour import ink_on

PLACEHOLDER = "{{survey_url}}"  # what a mail tool puts each person's own link in place of
_CELL = (
    "display:block;padding:12px 0;border-radius:6px;background:{accent};color:{ink};"
    "font:bold 16px Arial,sans-serif;text-align:center;text-decoration:none"
)
_LEGEND = "font:13px Arial,sans-serif;color:#575e6e;padding-top:6px"
_THUMBS = {0: "&#128078;", 1: "&#128077;"}


def buttons_html(metric: Metric, *, question: str, accent: str, lowest: str, highest: str, direction: str) -> str:
    """Each leads to the page of the link, where the score is chosen and not yet given."""
    style = _CELL.format(accent=accent, ink=ink_on(accent))
    links = (
        f'<a href="{PLACEHOLDER}?score={score}" style="{style}">{_label(metric, score)}</a>' for score in metric.scores
    )
    cells = "".join(f'<td style="padding:2px">{link}</td>' for link in links)
    half = len(metric.scores) // 2
    rest = len(metric.scores) - half
    start, end = ("left", "right") if direction == "ltr" else ("right", "left")
    legend = (
        f'<tr><td colspan="{half}" align="{start}" style="{_LEGEND}">{escape(lowest)}</td>'
        f'<td colspan="{rest}" align="{end}" style="{_LEGEND}">{escape(highest)}</td></tr>'
    )
    return (
        f'<table role="presentation" dir="{direction}" width="100%" cellpadding="0" cellspacing="0" '
        'style="max-width:600px;table-layout:fixed">'
        f'<tr><td colspan="{len(metric.scores)}" style="font:bold 18px Arial,sans-serif;padding-bottom:12px">'
        f"{escape(question)}</td></tr><tr>{cells}</tr>{legend if lowest or highest else ''}</table>"
    )


def _label(metric: Metric, score: int) -> str:
    if metric.key is MetricKey.THUMBS:
        return _THUMBS[score]
    return f"{score}&#9733;" if metric.key is MetricKey.STARS else str(score)
