import pytest

from app.domain.scores.metric import METRICS, NPS, Band, Metric, MetricKey, ScoreOutOfRange

EVERY_METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=str)


@pytest.mark.parametrize(
    ("key", "bands"),
    [
        ("nps", "ddddddd" + "pp" + "PP"),
        ("csat", "-" + "dd" + "p" + "PP"),
        ("ces", "-" + "ddd" + "p" + "PPP"),
        ("stars", "-" + "ddd" + "p" + "P"),
        ("thumbs", "dP"),
    ],
)
def test_each_score_of_each_metric_has_its_band(key: str, bands: str) -> None:
    letters = {"d": Band.DETRACTOR, "p": Band.PASSIVE, "P": Band.PROMOTER}
    for score, letter in enumerate(bands):
        if letter == "-":
            continue
        assert METRICS[key].band_for(score) is letters[letter], score
    assert METRICS[key].highest == len(bands) - 1
    assert METRICS[key].lowest == bands.count("-")


@EVERY_METRIC
def test_a_score_off_the_scale_is_refused_with_the_scale_in_the_answer(metric: Metric) -> None:
    for score in (-1, metric.lowest - 1, metric.highest + 1):
        with pytest.raises(ScoreOutOfRange) as refused:
            metric.band_for(score)
        assert refused.value.pointer == "/score"
        assert refused.value.members == {"lowest": metric.lowest, "highest": metric.highest}


def test_a_score_between_two_whole_numbers_is_refused() -> None:
    with pytest.raises(ScoreOutOfRange):
        NPS.band_for(8.5)  # type: ignore[arg-type]  # what untyped callers do


@EVERY_METRIC
def test_the_bands_share_out_the_scale_without_gap_or_overlap(metric: Metric) -> None:
    by_band = metric.scores_by_band()
    assert list(by_band) == list(Band)
    in_scale_order = by_band[Band.DETRACTOR] + by_band[Band.PASSIVE] + by_band[Band.PROMOTER]
    assert in_scale_order == tuple(range(metric.lowest, metric.highest + 1))


def test_thumbs_have_no_middle() -> None:
    assert METRICS["thumbs"].scores_by_band()[Band.PASSIVE] == ()


def test_values_lie_between_the_floor_and_the_ceiling_of_the_formula() -> None:
    reach = {key.value: (METRICS[key].floor, METRICS[key].ceiling) for key in MetricKey}
    assert reach == {"nps": (-100, 100), "csat": (0, 100), "ces": (0, 100), "stars": (1, 5), "thumbs": (0, 100)}
