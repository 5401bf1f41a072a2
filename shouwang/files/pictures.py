"""Pictures as they come from phones: read within limits, made smaller, and freed of everything but the picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageOps, UnidentifiedImageError

from shouwang.files.rules import PictureTooLarge, PictureUnreadable

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
EDGE_PX = 1_600
QUALITY = 82
HEAD_OF_BOX = 0.4
HEAD_PX = 5
AROUND_PX = 240
UNKNOWN_PX = 200
Box = tuple[float, float, float, float]


def plain_jpeg(content: bytes) -> bytes:
    """Return a picture as a JPEG of at most 1,600 pixels a side, upright, without position, camera or colour profile.

    Only the pixels survive, so what hides in the file or behind its end does not. Raises PictureUnreadable, PictureTooLarge.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PictureTooLarge(found=picture.width * picture.height, most=MOST_PIXELS)
            picture.draft("RGB", (EDGE_PX, EDGE_PX))
            picture.thumbnail((EDGE_PX, EDGE_PX))
            upright = ImageOps.exif_transpose(picture)
            clean = Image.new("RGB", upright.size, "white")
            alpha = upright.convert("RGBA") if upright.mode in {"P", "LA", "RGBA", "PA"} else None
            clean.paste(alpha or upright.convert("RGB"), mask=alpha)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise PictureUnreadable from error
    kept = io.BytesIO()
    clean.save(kept, "JPEG", quality=QUALITY)
    return kept.getvalue()


def coarse_heads(content: bytes, boxes: Sequence[Box]) -> bytes:
    """Return a picture as a plain JPEG in which nobody can be made out.

    `boxes` are persons, (left, top, right, bottom) in shares of the picture: the upper part of each becomes a few squares,
    and whatever lies around them is shown with `AROUND_PX` pixels across. Without a box heads may be anywhere: then the
    whole picture has `UNKNOWN_PX` pixels across. Raises PictureUnreadable, PictureTooLarge.
    """
    with Image.open(io.BytesIO(plain_jpeg(content))) as opened:
        picture = opened.convert("RGB")
    size = picture.size
    coarse = _squares(picture, min(1.0, (AROUND_PX if boxes else UNKNOWN_PX) / size[0]))
    for box in boxes:
        whole = _pixels(box, size)
        coarse.paste(picture.crop(whole), whole[:2])
        _, top, _, bottom = whole
        head = _pixels((box[0] - 0.1 * (box[2] - box[0]), box[1] - 0.1 * (box[3] - box[1]), box[2] + 0.1 * (box[2] - box[0]), box[3]), size)
        head = (head[0], head[1], head[2], min(bottom, top + max(1, round(HEAD_OF_BOX * (bottom - top)))))
        if head[2] > head[0] and head[3] > head[1]:
            part = picture.crop(head)
            coarse.paste(_squares(part, min(1.0, HEAD_PX / max(part.size))), head[:2])
    kept = io.BytesIO()
    coarse.save(kept, "JPEG", quality=QUALITY)
    return kept.getvalue()


def _squares(picture: Image.Image, scale: float) -> Image.Image:
    small = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.NEAREST)


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    left, top, right, bottom = (min(max(part, 0.0), 1.0) for part in box)
    return round(left * width), round(top * height), max(round(right * width), round(left * width)), max(round(bottom * height), round(top * height))
