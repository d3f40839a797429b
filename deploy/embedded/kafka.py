"""One Apache Kafka node (broker and controller) on loopback, with users and rights switched on.

Clients speak SASL/SCRAM-SHA-512; whoever has no ACL is refused everything. The controller's
listener has a user of its own (PLAIN: SCRAM users live in the very log that the controller serves).
"""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy.embedded import credentials as names
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import write_private
from deploy.embedded.java import class_archive, class_path, java
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.processes import Program
from shared.kernel.identifiers import new_id
from shared.messaging.access import KafkaAccess, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deploy.embedded.credentials import Credentials
    from deploy.embedded.home import Home

CLIENT_PORT: Final = "kafka"
CONTROLLER_PORT: Final = "kafka-controller"
LARGEST_RECORD: Final = 2 * 1024 * 1024
_FORMAT_SECONDS: Final = 60

_FIXED: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": f"User:{names.ADMIN};User:{names.BROKER};User:{names.CONTROLLER}",
    "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    "controller.listener.names": "CONTROLLER",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "message.max.bytes": str(LARGEST_RECORD),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # The default waits 3 s for more members at every first join of a group.
    "group.initial.rebalance.delay.ms": "0",
    # The defaults are sized for a large machine: threads, and 128 MiB of heap for the cleaner.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
}

_LOGGING: Final = """\
status = error
appender.console.type = Console
appender.console.name = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = CONSOLE
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


@dataclass(frozen=True, kw_only=True)
class KafkaServer:
    """The node of one home. `heap` is the largest Java heap, as in `-Xmx`."""

    home: Home
    credentials: Credentials
    ports: dict[str, int]
    heap: str

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"{LOOPBACK}:{self.ports[CLIENT_PORT]}"

    @property
    def administration(self) -> KafkaAccess:
        """Return the access of the principal that may do everything."""
        return KafkaAccess(bootstrap=self.bootstrap, username=names.ADMIN, password=self.credentials.kafka[names.ADMIN])

    @property
    def listening(self) -> dict[str, int]:
        """The ports of the node, by name."""
        return self.ports

    def wait_until_ready(self, check: Callable[[], None], seconds: float) -> None:
        """Return when the node answers a client."""
        wait_until_ready(self.administration, seconds=seconds, while_waiting=check)

    def prepare(self) -> None:
        """Write the configuration; format the log folder at first start, with the first users."""
        write_private(self._properties_file, self._properties())
        (self.home.kafka / "log4j2.properties").write_text(_LOGGING)
        if not (self._data / "meta.properties").exists():
            self._format()

    def program(self, *extra_java_options: str) -> Program:
        """Return how to start the node."""
        return Program(
            name="kafka",
            command=(
                *self._java(*_class_archive_option(), *extra_java_options),
                "kafka.Kafka",
                str(self._properties_file),
            ),
            folder=self.home.kafka,
        )

    @property
    def _data(self) -> Path:
        return self.home.kafka / "data"

    @property
    def _properties_file(self) -> Path:
        return self.home.kafka / "server.properties"

    def _java(self, *options: str) -> tuple[str, ...]:
        return (
            str(java()),
            f"-Xmx{self.heap}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j2.configurationFile={self.home.kafka / 'log4j2.properties'}",
            *options,
            "-cp",
            class_path(),
        )

    def _properties(self) -> str:
        client, controller = self.ports[CLIENT_PORT], self.ports[CONTROLLER_PORT]
        values = _FIXED | {
            "log.dirs": str(self._data),
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"CLIENT://{LOOPBACK}:{client},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"CLIENT://{LOOPBACK}:{client}",
            "listener.name.client.scram-sha-512.sasl.jaas.config": _login(
                "scram.ScramLoginModule", names.BROKER, self.credentials.kafka[names.BROKER]
            ),
            "listener.name.controller.plain.sasl.jaas.config": _login(
                "plain.PlainLoginModule",
                names.CONTROLLER,
                self.credentials.kafka[names.CONTROLLER],
                accepts=True,
            ),
        }
        return "".join(f"{name}={value}\n" for name, value in values.items())

    def _format(self) -> None:
        # An argument file, because the command line of a process is readable by everybody.
        arguments = ["format", "--config", str(self._properties_file), "--cluster-id", _cluster_id()]
        for name in (names.ADMIN, names.BROKER):
            password = self.credentials.kafka[name]
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        file = self.home.kafka / "format.arguments"
        write_private(file, "\n".join(arguments) + "\n")
        command = (
            *self._java(*_class_archive_option(), "-XX:TieredStopAtLevel=1"),
            "kafka.tools.StorageTool",
            f"@{file}",
        )
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        finally:
            file.unlink()
        if done.returncode != 0:
            raise SystemFailure(
                f"The log folder of Kafka could not be formatted:\n{done.stdout}{done.stderr}",
                remedy="If the folder holds nothing of worth, `joint reset` makes a new one.",
            )


def _class_archive_option() -> tuple[str, ...]:
    # Halves the start. The JVM prints errors for a missing archive, so it is left out then.
    archive = class_archive()
    return (f"-XX:AOTCache={archive}", "-Xlog:aot*=error") if archive.exists() else ()


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(new_id().bytes).decode().rstrip("=")


def _login(module: str, user: str, password: str, *, accepts: bool = False) -> str:
    """Return a login entry; `accepts`: the listener lets this user in too."""
    own = f'username="{user}" password="{password}"'
    accepted = f' user_{user}="{password}"' if accepts else ""
    return f"org.apache.kafka.common.security.{module} required {own}{accepted};"
