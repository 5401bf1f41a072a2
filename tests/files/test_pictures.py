"""Pictures: only their pixels survive, within limits, upright."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shouwang.files.pictures import EDGE_PX, plain_jpeg
from shouwang.files.rules import PictureTooLarge, PictureUnreadable

# Pillow also warns of what it then refuses or mends; a warning is an error in tests only.
pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")]
TRAILER = b"<script>alert('canary')</script>"


def jpeg(size: tuple[int, int] = (64, 32), *, orientation: int = 1, form: str = "JPEG", mode: str = "RGB") -> bytes:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8825] = {1: "N", 2: (36.0, 27.0, 0.0)}  # where it was taken
    exif[0x010F] = "CanaryPhone"
    Image.new(mode, size, 200 if mode in {"L", "P"} else "red").save(kept, form, exif=exif)
    return kept.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG that says it is huge."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_position_camera_and_whatever_hangs_on_are_gone() -> None:
    clean = plain_jpeg(jpeg() + TRAILER)
    assert b"CanaryPhone" not in clean
    assert b"script" not in clean
    with Image.open(io.BytesIO(clean)) as picture:
        assert (picture.format, len(picture.getexif()), picture.info.get("icc_profile")) == ("JPEG", 0, None)


@pytest.mark.parametrize(("size", "kept"), [((4000, 2000), (EDGE_PX, 800)), ((64, 32), (64, 32)), ((10, 3200), (5, EDGE_PX))])
def test_a_large_picture_becomes_smaller_and_keeps_its_shape(size: tuple[int, int], kept: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(plain_jpeg(jpeg(size)))) as picture:
        assert picture.size == kept


@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 32)), (3, (64, 32)), (6, (32, 64)), (8, (32, 64))])
def test_a_picture_taken_sideways_stands_upright(orientation: int, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(plain_jpeg(jpeg(orientation=orientation)))) as picture:
        assert picture.size == size


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGBA"), ("JPEG", "CMYK")])
def test_every_kind_of_picture_becomes_a_plain_jpeg(form: str, mode: str) -> None:
    with Image.open(io.BytesIO(plain_jpeg(jpeg(form=form, mode=mode)))) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")


@pytest.mark.parametrize("width", [10_000, 60_000])
def test_a_picture_that_claims_too_many_pixels_is_not_read(width: int) -> None:
    with pytest.raises((PictureTooLarge, PictureUnreadable)):
        plain_jpeg(bomb(width, width))


GIF = io.BytesIO()
Image.new("RGB", (4, 4)).save(GIF, "GIF")


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"\xff\xd8\xff", jpeg()[:200], bomb(100, 100), GIF.getvalue()])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        plain_jpeg(content)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_picture_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    content = bytearray(jpeg((24, 24), form=data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureUnreadable, PictureTooLarge):
        plain_jpeg(bytes(content))
