import pytest

from app.domain.survey.language import direction


@pytest.mark.parametrize("language", ["ar", "ar-EG", "he", "fa-AF", "ur", "az-Arab", "ku-arab-IQ", "AR"])
def test_written_from_the_right(language: str) -> None:
    assert direction(language) == "rtl"


@pytest.mark.parametrize("language", ["en", "de-CH", "zh-Hant-HK", "ar-Latn", "ja", "pt-BR", "es-419", ""])
def test_written_from_the_left(language: str) -> None:
    assert direction(language) == "ltr"
