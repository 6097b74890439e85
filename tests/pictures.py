"""Pictures made by hand, of any size, of one colour."""

import struct
import zlib

Chunk = tuple[bytes, bytes]


def a_png(width: int = 240, height: int = 60, *, see_through: bool = False, chunks: tuple[Chunk, ...] = ()) -> bytes:
    """`chunks`: between head and picture. See-through ones show a bar with nothing round it."""
    colour, depth = (6, 4) if see_through else (2, 3)
    bar, ground = b"\x1b\x4d\x3e\xff"[:depth], (b"\0\0\0\0" if see_through else b"\xe8\xf2\xee")
    row = b"\0" + ground * (width // 4) + bar * (width - 2 * (width // 4)) + ground * (width // 4)
    edge = b"\0" + ground * width
    pixels = edge * (height // 4) + row * (height - 2 * (height // 4)) + edge * (height // 4)
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = ((b"IHDR", head), *chunks, (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*part) for part in parts)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def a_jpeg(width: int = 240, height: int = 60) -> bytes:
    """Its tables and its scan say nothing, but stand where they belong; the scan holds what looks like an end."""
    parts = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xDB, b"\0" + b"\1" * 64),
        (0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
        (0xC4, b"\0" + b"\0" * 16),
        (0xDA, b"\1\1\0\0\x3f\0"),
    )
    marked = b"".join(b"\xff" + bytes([code]) + struct.pack(">H", len(body) + 2) + body for code, body in parts)
    return b"\xff\xd8" + marked + b"\x12\xff\x00\xd9\xff\xd0\x34" + b"\xff\xd9"


def a_gif(width: int = 240, height: int = 60, *, see_through: bool = False, pictures: int = 1) -> bytes:
    control = b"\x21\xf9\x04" + (b"\x01" if see_through else b"\x00") + b"\0\0\0\0"
    one = control + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    head = b"GIF89a" + struct.pack("<HHB", width, height, 0x80) + b"\0\0" + b"\0" * 6
    return head + one * pictures + b"\x3b"


def a_webp(width: int = 240, height: int = 60, *, see_through: bool = False, moving: bool = False) -> bytes:
    """In the extended form."""
    flags = (0x10 if see_through else 0) | (0x02 if moving else 0)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _riff((b"VP8X", bytes([flags, 0, 0, 0]) + sides), lossless_part(width, height, see_through=see_through))


def a_lossless_webp(width: int, height: int, *, see_through: bool = False) -> bytes:
    return _riff(lossless_part(width, height, see_through=see_through))


def a_lossy_webp(width: int, height: int) -> bytes:
    return _riff((b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 5))


def lossless_part(width: int, height: int, *, see_through: bool) -> Chunk:
    packed = (width - 1) | (height - 1) << 14 | int(see_through) << 28
    return b"VP8L", b"\x2f" + struct.pack("<I", packed) + b"\0\0\0"


def _riff(*chunks: Chunk) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
