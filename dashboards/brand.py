"""Brand: the marketplace's colour, moved as far as needed to be readable on light and dark.

Pure. Contrast as WCAG 2.2 defines it.
"""

COLOUR = "#0b6e5b"
LIGHT_GROUND = "#ffffff"
DARK_GROUND = "#1b1f23"
CONTRAST_MIN = 4.6  # WCAG AA asks for 4.5; rounding to whole steps costs a little.


def stylesheet(colour: str) -> str:
    """Return the style sheet that names the brand's colour for both grounds."""
    light = readable(colour or COLOUR, LIGHT_GROUND)
    dark = readable(colour or COLOUR, DARK_GROUND)
    return (
        f":root{{--brand:{light};--on-brand:#ffffff}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--brand:{dark};--on-brand:#111418}}}}\n"
    )


def readable(colour: str, ground: str) -> str:
    """Return the colour, mixed with black or white until text in it is readable on the ground."""
    target = 0 if _luminance(_parts(ground)) > 0.5 else 255
    parts = _parts(colour)
    for step in range(101):
        mixed = tuple(round(part + (target - part) * step / 100) for part in parts)
        if contrast(mixed, _parts(ground)) >= CONTRAST_MIN:
            return "#" + "".join(f"{part:02x}" for part in mixed)
    raise AssertionError("black or white is readable on any ground")


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def _luminance(parts: tuple[int, ...]) -> float:
    red, green, blue = (_linear(part / 255) for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
