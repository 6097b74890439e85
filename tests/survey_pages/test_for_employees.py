"""Not everybody who is asked is a customer: mail and page suit employees, members and patients as well."""

from html import unescape

import httpx
import pytest

from app.api.public.survey.words import all_words
from app.domain.mail.letter_words import all_words as words_of_mails
from app.domain.survey.survey_templates import LANGUAGES
from tests.conftest import Tenant

CUSTOMER = {
    "en": "customer", "de": " kund", "fr": "client", "es": "client", "pt-BR": "client", "it": "client", "nl": "klant",
    "ar": "عملاء", "ja": "客",
}  # fmt: skip
NAME = "Northwind & Sons"


@pytest.fixture
async def campaign(alice: Tenant) -> str:
    await alice.api.patch("/v1/workspace", json={"brand": {"name": NAME}})
    body = {"name": "Our people", "kind": "relationship", "is_anonymous": True, "template": {"key": "employee_nps"}}
    reply = await alice.api.post("/v1/campaigns", json=body)
    assert reply.status_code == 201, reply.text
    return f"/v1/campaigns/{reply.json()['id']}"


async def test_nobody_is_called_a_customer_who_is_asked_about_their_work(
    alice: Tenant, visitor: httpx.AsyncClient, campaign: str
) -> None:
    for language in LANGUAGES:
        mail = (await alice.api.get(f"{campaign}/email-preview", params={"language": language})).json()
        preview = (await alice.api.get(f"{campaign}/survey-preview", params={"language": language})).json()
        page = (await visitor.get(httpx.URL(preview["url"]).path)).text
        told = words_of_mails()[language]["why"].format(brand=NAME)
        assert told in mail["text"]
        assert told in unescape(mail["html"])
        assert all_words()[language]["why"].format(brand=NAME) in unescape(page)
        for shown in (mail["subject"], mail["text"], mail["html"], page):
            assert CUSTOMER[language] not in shown.lower(), language


@pytest.mark.parametrize("texts", [all_words(), words_of_mails()], ids=["pages", "mails"])
def test_no_word_of_ours_says_what_somebody_is_to_who_asks(texts: dict[str, dict[str, str]]) -> None:
    assert set(texts) == set(CUSTOMER)
    for language, words in texts.items():
        assert CUSTOMER[language] not in " ".join(words.values()).lower(), language
