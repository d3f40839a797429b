"""The start of every process of a service; it imports nothing itself, for most of a start is imports."""

import gc
import importlib
from collections.abc import Sequence


def start(module: str, arguments: Sequence[str]) -> int:
    """Import the module of a service's roles (its `SERVICE`, `Settings` and `roles`) and run the role that is named.

    Returns:
        The exit code, as `shared.runtime.roles.run` does.
    """
    # What an import makes stays: looking for cycles in it takes a fifth of the start.
    gc.disable()
    service = importlib.import_module(module)
    from shared.runtime.roles import run  # noqa: PLC0415 - after the collector is off

    return run(service.SERVICE, arguments, service.Settings, service.roles)
