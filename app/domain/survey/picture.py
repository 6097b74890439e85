"""What a picture is, read from its own bytes: its size stands in its head, and no library that decodes is let near it.

Each is followed from the first byte to the last, so that nothing hides behind a picture. PNG (ISO/IEC 15948, 5 and 11),
JPEG (ITU-T T.81, annex B), GIF (GIF89a), WebP (RFC 9649).
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class PictureKind(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"


@dataclass(frozen=True, slots=True)
class Picture:
    """`is_see_through`: what is behind it may shine through."""

    kind: PictureKind
    width: int  # pixels
    height: int
    is_see_through: bool = False
    is_moving: bool = False


def read_picture(raw: bytes) -> Picture | None:
    """None for what is none of the four, is broken off, or goes on behind its end."""
    for signature, read in _READERS.items():
        if re.match(signature, raw, re.DOTALL):
            try:
                return read(raw)
            except (struct.error, IndexError):  # it ends before it should
                return None
    return None


def _png(raw: bytes) -> Picture | None:
    width, height = struct.unpack_from(">II", raw, 16)
    is_see_through, is_moving, at, name = raw[25] in (4, 6), False, 8, b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", raw, at)
        if name == b"IEND" and length:
            return None
        is_see_through |= name == b"tRNS"
        is_moving |= name == b"acTL"
        at += 12 + length  # with its length, its name and its checksum
    return Picture(PictureKind.PNG, width, height, is_see_through, is_moving) if at == len(raw) else None


_SIZED = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # starts of a frame; the others are tables
_SCAN, _END = 0xDA, 0xD9
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # neither a stuffed byte nor a restart


def _jpeg(raw: bytes) -> Picture | None:
    at, size = 2, None
    while raw[at] == 0xFF and (code := raw[at + 1]) != _END:
        (length,) = struct.unpack_from(">H", raw, at + 2)
        if code in _SIZED:
            size = struct.unpack_from(">HH", raw, at + 5)
        at += 2 + length
        if code == _SCAN:
            found = _AFTER_SCAN.search(raw, at)
            at = found.start() if found else len(raw)
    ends_well = raw[at : at + 2] == b"\xff\xd9" and at + 2 == len(raw)
    return Picture(PictureKind.JPEG, size[1], size[0]) if size and ends_well else None


_EXTENSION, _IMAGE, _TRAILER, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9


def _gif(raw: bytes) -> Picture | None:
    width, height, packed = struct.unpack_from("<HHB", raw, 6)
    at, pictures, is_see_through = 13 + _colours(packed), 0, False
    while (block := raw[at]) in (_EXTENSION, _IMAGE):
        if block == _EXTENSION:
            is_see_through |= raw[at + 1] == _CONTROL and bool(raw[at + 3] & 1)
            at += 2
        else:
            left, top, wide, high = struct.unpack_from("<HHHH", raw, at + 1)
            width, height = max(width, left + wide), max(height, top + high)  # browsers enlarge the screen to it
            pictures += 1
            at += 11 + _colours(raw[at + 9])
        while (size := raw[at]) != 0:
            at += 1 + size
        at += 1
    is_whole = block == _TRAILER and at + 1 == len(raw) and pictures > 0
    return Picture(PictureKind.GIF, width, height, is_see_through, pictures > 1) if is_whole else None


def _colours(packed: int) -> int:
    """Bytes of the table of colours that follows."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _webp(raw: bytes) -> Picture | None:
    (size,) = struct.unpack_from("<I", raw, 4)
    names, at = [], 12
    while at < len(raw):
        name, length = struct.unpack_from("<4sI", raw, at)
        names.append(name)
        at += 8 + length + length % 2
    read = _WEBP_HEADS.get(names[0]) if _WEBP_PICTURES.intersection(names) else None
    return read(raw) if read and at == len(raw) == size + 8 else None


def _extended(raw: bytes) -> Picture:
    flags = raw[20]
    width, height = (int.from_bytes(raw[at : at + 3], "little") + 1 for at in (24, 27))
    return Picture(PictureKind.WEBP, width, height, bool(flags & 0x10), bool(flags & 0x02))


def _lossless(raw: bytes) -> Picture:
    (packed,) = struct.unpack_from("<I", raw, 21)
    width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    return Picture(PictureKind.WEBP, width, height, bool(packed >> 28 & 1))


def _lossy(raw: bytes) -> Picture:
    width, height = struct.unpack_from("<HH", raw, 26)
    return Picture(PictureKind.WEBP, width & 0x3FFF, height & 0x3FFF)


_WEBP_HEADS: dict[bytes, Callable[[bytes], Picture]] = {b"VP8X": _extended, b"VP8L": _lossless, b"VP8 ": _lossy}
_WEBP_PICTURES = frozenset({b"VP8L", b"VP8 ", b"ANMF"})
_READERS: dict[bytes, Callable[[bytes], Picture | None]] = {
    rb"\x89PNG\r\n\x1a\n.{4}IHDR": _png,
    rb"\xff\xd8\xff": _jpeg,
    rb"GIF8[79]a": _gif,
    rb"RIFF.{4}WEBP": _webp,
}
