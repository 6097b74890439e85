"""What may stand at the head of pages and mails. The bytes decide, whatever a file calls itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.survey.logo import MAIL_BOX, MOST_BYTES, PAGE_BOX, Logo, LogoInvalid, read_logo
from app.domain.survey.picture import Picture, PictureKind, read_picture
from tests.pictures import a_gif, a_jpeg, a_lossless_webp, a_lossy_webp, a_png, a_webp

PNG, JPEG, GIF, WEBP = PictureKind
EVERY_KIND = {
    "png": a_png(), "see-through png": a_png(see_through=True), "jpeg": a_jpeg(), "gif": a_gif(), "webp": a_webp(),
    "lossless webp": a_lossless_webp(240, 60), "lossy webp": a_lossy_webp(240, 60),
}  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "picture"),
    [
        (a_png(300, 80), Picture(PNG, 300, 80)),
        (a_png(16, 16, see_through=True), Picture(PNG, 16, 16, is_see_through=True)),
        (a_png(20, 20, chunks=((b"tRNS", b"\0" * 6),)), Picture(PNG, 20, 20, is_see_through=True)),
        (a_jpeg(640, 200), Picture(JPEG, 640, 200)),
        (a_gif(88, 31), Picture(GIF, 88, 31)),
        (a_gif(88, 31, see_through=True), Picture(GIF, 88, 31, is_see_through=True)),
        (a_webp(2000, 500, see_through=True), Picture(WEBP, 2000, 500, is_see_through=True)),
        (a_lossless_webp(1025, 33, see_through=True), Picture(WEBP, 1025, 33, is_see_through=True)),
        (a_lossless_webp(1025, 33), Picture(WEBP, 1025, 33)),
        (a_lossy_webp(77, 99), Picture(WEBP, 77, 99)),
    ],
)
def test_size_and_kind_are_read_from_the_bytes(raw: bytes, picture: Picture) -> None:
    assert read_picture(raw) == read_logo(raw) == picture


@pytest.mark.parametrize("raw", EVERY_KIND.values(), ids=list(EVERY_KIND))
def test_what_is_broken_off_or_goes_on_is_no_picture(raw: bytes) -> None:
    for end in range(len(raw)):
        assert read_picture(raw[:end]) is None, end
    for more in (b"\0", b"<script>alert(1)</script>", b"PK\x03\x04", raw):
        assert read_picture(raw + more) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"PNG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"%PDF-1.7", b"BM" + b"\0" * 60,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 60, b"\xff\xd8\xff\xd9", b"RIFF\x04\0\0\0WEBP", b"GIF89a" + b"\0" * 7 + b"\x3b",
    ],
)  # fmt: skip
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(LogoInvalid, match="no PNG, JPEG, GIF or WebP"):
        read_logo(raw)


@pytest.mark.parametrize(
    "raw", [a_png(chunks=((b"acTL", b"\0\0\0\2\0\0\0\0"),)), a_gif(pictures=2), a_webp(moving=True)]
)
def test_a_logo_does_not_move(raw: bytes) -> None:
    with pytest.raises(LogoInvalid, match="does not move"):
        read_logo(raw)


@pytest.mark.parametrize("size", [(15, 100), (100, 15), (2001, 100), (100, 2001), (0, 0), (65535, 65535)])
def test_a_logo_is_neither_tiny_nor_huge(size: tuple[int, int]) -> None:
    with pytest.raises(LogoInvalid, match=rf"16 to 2000 pixels; this is {size[0]} × {size[1]}"):
        read_logo(a_jpeg(*size))


def test_a_logo_is_small() -> None:
    filled = a_png(chunks=((b"tEXt", b"x" * (MOST_BYTES - len(a_png()) - 12)),))
    assert len(filled) == MOST_BYTES
    assert read_logo(filled).kind is PNG
    with pytest.raises(LogoInvalid, match="at most 100000 bytes"):
        read_logo(a_png(chunks=((b"tEXt", b"x" * MOST_BYTES),)))


@given(st.binary(max_size=300), st.sampled_from(sorted(EVERY_KIND)), st.integers(0, 60))
def test_no_bytes_are_too_odd_to_be_read(noise: bytes, kind: str, at: int) -> None:
    raw = EVERY_KIND[kind]
    for odd in (noise, raw[:at] + noise + raw[at:], raw[:at] + noise + raw[at + len(noise) :]):
        found = read_picture(odd)
        assert found is None or found.width >= 0


@given(st.integers(16, 2000), st.integers(16, 2000))
def test_it_is_fitted_and_never_blown_up(width: int, height: int) -> None:
    logo = Logo("/x.png", width, height, is_see_through=False)
    for box in (PAGE_BOX, MAIL_BOX):
        fitted = logo.fitted(box)
        assert all(1 <= side <= most for side, most in zip(fitted, box, strict=True))
        assert fitted[0] <= width
        assert fitted[1] <= height
        if min(fitted) > 20:
            assert abs(fitted[0] / fitted[1] - width / height) < 0.06 * width / height


@pytest.mark.parametrize("stored", [None, {}, "x", {"path": "/x", "width": 3}])
def test_what_we_do_not_know_is_no_logo(stored: object) -> None:
    assert Logo.of(stored) is None


def test_a_frame_larger_than_its_screen_counts() -> None:
    raw = a_gif(88, 31)
    assert read_picture(raw[:6] + b"\x0a\0\x0a\0" + raw[10:]) == Picture(GIF, 88, 31)


def test_a_head_without_a_picture_is_none() -> None:
    head = a_webp()[12:30]
    assert read_picture(b"RIFF" + (4 + len(head)).to_bytes(4, "little") + b"WEBP" + head) is None


def test_nothing_stands_in_the_end_of_a_png() -> None:
    assert read_picture(a_png()[:-12] + b"\0\0\0\x04IEND" + b"<h1>" + b"\0" * 4) is None
