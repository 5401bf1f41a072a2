"""Pictures as they come from phones: read within limits, made smaller, and freed of everything but the picture."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from shouwang.files.rules import PictureTooLarge, PictureUnreadable

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
EDGE_PX = 1_600
QUALITY = 82


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
