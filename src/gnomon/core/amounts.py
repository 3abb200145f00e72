"""Amounts: numbers, sizes and durations as a person reads them."""

UNITS = ("B", "kB", "MB", "GB", "TB")


def size(number: float) -> str:
    """Bytes as a person reads them."""
    for unit in UNITS[:-1]:
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {UNITS[-1]}"


def seconds(number: float) -> str:
    """A duration as a person reads it."""
    if number < 10:
        return f"{number:.1f} s"
    if number < 120:
        return f"{number:.0f} s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def count(number: int) -> str:
    """A number with its thousands set apart."""
    return f"{number:,}"
