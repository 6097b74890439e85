import pytest

from app.domain.webhooks.request_head import MOST_BODY_BYTES, request_head, request_line


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("https://hooks.example.com/in?token=secret", "POST https://hooks.example.com/in"),
        ("https://hooks.example.com:8443", "POST https://hooks.example.com:8443"),
        ("http://[2001:db8::1]:80/a%2Fb", "POST http://[2001:db8::1]:80/a%2Fb"),
        ("https://host:port/", "POST"),
    ],
)
def test_the_line_says_where_it_went_without_the_query(url: str, line: str) -> None:
    assert request_line("POST", url) == line


def test_a_path_that_may_be_secret_is_left_out() -> None:
    assert (
        request_line("POST", "https://chat.example/services/T0/SECRET", with_path=False) == "POST https://chat.example"
    )


def test_values_that_may_be_secret_are_masked() -> None:
    headers = {
        "webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,abc", "Content-Type": "text/plain",
        "Authorization": "Bearer abc",
    }  # fmt: skip
    assert request_head("POST https://a.example/", headers, b"{}").split("\n") == [
        "POST https://a.example/", "authorization: …", "content-type: text/plain", "webhook-id: evt_1",
        "webhook-signature: …", "webhook-timestamp: 1", "", "{}",
    ]  # fmt: skip


def test_a_body_is_kept_to_a_cap_and_stays_text() -> None:
    head = request_head("POST", {}, "é\0".encode() * MOST_BODY_BYTES)
    assert head.endswith("…")
    assert "\0" not in head
    assert len(head.encode()) < 3 * MOST_BODY_BYTES
