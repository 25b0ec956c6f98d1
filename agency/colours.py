"""The agency's colour: readable contrasts (WCAG 2.2), and its shades as a style sheet for the portal and the back office."""

Colour = tuple[int, int, int]

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
#: The portal's page, and a dark page of the back office, on which the colour is the text of links.
_LIGHT_PAGE, _DARK_PAGE = (0xF8, 0xF5, 0xEF), (0x1F, 0x29, 0x37)
#: The contrast of text that WCAG's level AA demands.
LEAST_CONTRAST = 4.5
#: django-unfold's shades, as parts of white or black; 600 is the colour itself. 500 and 400 are text on dark pages.
_TINTS = {50: 0.95, 100: 0.9, 200: 0.78, 300: 0.62, 400: 0.45, 500: 0.25}
_SHADES = {700: 0.15, 800: 0.3, 900: 0.45, 950: 0.65}


def parse(text: str) -> Colour:
    """Return the colour of six hexadecimal digits, with or without ``#``."""
    digits = text.lstrip("#")
    return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: Colour) -> float:
    """Return the contrast of white text on the colour, or of the colour as text on the portal's page: the lower one."""
    return min(contrast(colour, WHITE), contrast(colour, _LIGHT_PAGE))


def style_sheet(colour: Colour) -> str:
    """Return the style sheet that puts the colour in place of the theme's."""
    shades = {600: colour}
    shades |= {weight: _on_dark(colour, part) if weight in (400, 500) else _mix(colour, WHITE, part)
               for weight, part in _TINTS.items()}  # fmt: skip
    shades |= {weight: _mix(colour, BLACK, part) for weight, part in _SHADES.items()}
    lines = {f"--color-primary-{weight}": shade for weight, shade in sorted(shades.items())}
    light = lines | {"--brand": colour, "--on-brand": WHITE, "--brand-tint": shades[50]}
    dark = {"--brand": _on_dark(colour, 0.45), "--on-brand": BLACK, "--brand-tint": _mix(colour, BLACK, 0.7)}
    return f"{_rule(light)}@media (prefers-color-scheme: dark) {{ {_rule(dark)}}}\n"


def _rule(lines: dict[str, Colour]) -> str:
    written = "".join(f"  {name}: #{red:02x}{green:02x}{blue:02x};\n" for name, (red, green, blue) in lines.items())
    return f":root {{\n{written}}}\n"


def _on_dark(colour: Colour, part: float) -> Colour:
    """Mix at least so much white in, and as much as makes the result readable on a dark page."""
    steps = (_mix(colour, WHITE, part + step / 50) for step in range(int((1 - part) * 50) + 1))
    return next((shade for shade in steps if contrast(shade, _DARK_PAGE) >= LEAST_CONTRAST), WHITE)


def _mix(colour: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(own + (added - own) * part) for own, added in zip(colour, other, strict=True))
    return (red, green, blue)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (part / 255 for part in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
