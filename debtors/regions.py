"""Time zones of the states, provinces and territories of the countries with several zones (``regions.toml``)."""

import tomllib
import unicodedata
from pathlib import Path


def fold(region: str | None) -> str:
    """Return the name or code of a region without case, accents, dots and extra spaces, for comparisons."""
    letters = unicodedata.normalize("NFKD", (region or "").replace(".", "").casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


#: The zones by country code and by folded code or name of the region; the most populous zone is first.
ZONES: dict[tuple[str, str], tuple[str, ...]] = {
    (country, fold(key)): tuple(zones)
    for country, regions in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
    for region, zones in regions.items()
    for key in region.split(" ", 1)
}
