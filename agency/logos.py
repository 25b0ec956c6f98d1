"""Read an uploaded logo: only what a raster image shows is kept, re-encoded, so that nothing else in the file is served."""

import io

from PIL import Image, UnidentifiedImageError

#: Bytes of the uploaded file, and the sides of its image in pixels.
MAX_BYTES, MAX_SIDE = 500_000, 4_000
_FORMATS = ("PNG", "JPEG", "WEBP")
#: Pages show the logo 32 to 40 pixels high; three times that is enough for the finest screens.
_SHOWN = (480, 120)


class BadLogo(Exception):
    """The file is no image that can be the logo; the text says why."""


def read(content: bytes) -> bytes:
    """Return the image as a PNG of at most 480 by 120 pixels.

    :raises BadLogo: if it is too large, damaged, or of another format than PNG, JPEG and WebP
    """
    if len(content) > MAX_BYTES:
        raise BadLogo(f"The file has {len(content) / 1000:,.0f} KB. Choose one of at most {MAX_BYTES // 1000} KB.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if max(image.size) > MAX_SIDE:
                raise BadLogo(f"The image is too large. Choose one of at most {MAX_SIDE:,} pixels a side.")
            shown = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadLogo("This is no readable image. Choose a PNG, JPEG or WebP file.") from error
    shown.thumbnail(_SHOWN)
    stored = io.BytesIO()
    shown.save(stored, "PNG", optimize=True)
    return stored.getvalue()
