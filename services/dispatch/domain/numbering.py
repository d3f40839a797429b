"""The case number, by which people name a case (案卷号, domain 1.5); streams and messages go by its id."""

from typing import Final

from shared.contracts.decisions import Context

_JOINT_ENFORCEMENT: Final = "JE"


def case_number(city: str, context: Context) -> str | None:
    """Return the number of the case that the command opens: `220281-JE-20261123-000123`.

    A city whose places have no code of GB/T 2260, or have not been published, has its own name before it. None where
    the command came without a serial.
    """
    serial = context.serial
    if serial is None:
        return None
    places = context.library.places(city)
    division = places[1].division if places else None
    return f"{division or city.upper()}-{_JOINT_ENFORCEMENT}-{serial.day:%Y%m%d}-{serial.number:06}"
