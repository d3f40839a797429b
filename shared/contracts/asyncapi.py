"""AsyncAPI 3.0 documents, one a service, generated from the registry (https://www.asyncapi.com/docs/reference)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.contracts.envelope import MAXIMUM_BYTES
from shared.contracts.registry import MESSAGES, Service, Topic, topics
from shared.contracts.validation import schema_of

_OWN: Final = frozenset({"$defs", "$schema"})
_PARTY: Final = "{party}"
_TITLES: Final[Mapping[Service, str]] = {
    "intake": "Joint intake (上报受理)",
    "dispatch": "Joint dispatch (派遣处置)",
    "analytics": "Joint analytics (统计评价)",
}
_HEADERS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "The same source and id is a repeat."},
        "ce_source": {"type": "string", "description": "/joint/sources|departments|services/<name>"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "The stream: id of the report, case or document."},
        "ce_sequence": {"type": "string", "description": "1, 2, 3 … in the stream, zero-padded to 20 digits."},
        "ce_partitionkey": {"type": "string"},
        "ce_correlationid": {"type": "string"},
        "ce_causationid": {"type": "string"},
        "ce_traceparent": {"type": "string", "description": "W3C trace context."},
        "ce_previoushash": {"type": "string", "description": "SHA-256 of the stream's event before this one."},
        "content-type": {"type": "string", "const": "application/json"},
    },
}


def asyncapi_document(service: Service, version: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of a service: every topic that it writes or reads.

    Topics of outside parties appear once, with the party as the parameter of the address.
    """
    channels = [topic for topic in topics((_PARTY,), (_PARTY,)) if service in (topic.writer, *topic.readers)]
    names = sorted({name for topic in channels for name in topic.messages})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": _TITLES[service],
            "version": version,
            "description": "CloudEvents 1.0 on Kafka. Binary mode is published; structured mode is read as well. "
            "Events of one stream are in order on their key. Within a version a type only grows.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_id(topic): _channel(topic) for topic in channels},
        "operations": dict(operation for topic in channels for operation in _operations(topic, service)),
        "components": {"messages": {_message_id(name): _message(name) for name in names}},
    }


def _channel_id(topic: Topic) -> str:
    return topic.name.replace(f".{_PARTY}", "").replace(".", "_").replace("-", "_")


def _message_id(name: str) -> str:
    return name.removeprefix("jointenforcement.").replace(".", "_")


def _channel(topic: Topic) -> dict[str, Any]:
    policy = ["compact"] if topic.compacted else ["delete"]
    channel: dict[str, Any] = {
        "address": topic.name,
        "messages": {
            _message_id(name): {"$ref": f"#/components/messages/{_message_id(name)}"} for name in topic.messages
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": policy,
                    "retention.ms": -1 if topic.retention_seconds is None else topic.retention_seconds * 1000,
                    "max.message.bytes": MAXIMUM_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }
    if _PARTY in topic.name:
        channel["parameters"] = {"party": {"description": "The slug of the source or department."}}
    return channel


def _operations(topic: Topic, service: Service) -> Sequence[tuple[str, dict[str, Any]]]:
    actions = [("send", topic.writer == service), ("receive", service in topic.readers)]
    return [
        (
            f"{action}_{_channel_id(topic)}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{_channel_id(topic)}"},
                "messages": [
                    {"$ref": f"#/channels/{_channel_id(topic)}/messages/{_message_id(name)}"} for name in topic.messages
                ],
            },
        )
        for action, done in actions
        if done
    ]


def _message(name: str) -> dict[str, Any]:
    message = MESSAGES[name]
    summary = (message.__doc__ or "").strip().splitlines()[0]
    return {
        "name": name,
        "title": message.__name__,
        "summary": summary,
        "contentType": "application/json",
        "headers": {**_HEADERS, "properties": {**_HEADERS["properties"], "ce_type": {"type": "string", "const": name}}},
        "payload": _inlined(schema_of(message)),
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }


def _inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve the schema's own `$defs`: a reference inside a payload would be read from the document's root."""
    definitions = schema.get("$defs", {})

    def resolve(node: object) -> object:
        match node:
            case {"$ref": str(reference), **rest} if reference.startswith("#/$defs/"):
                resolved = resolve(definitions[reference.removeprefix("#/$defs/")])
                beside = {key: resolve(value) for key, value in rest.items() if key not in _OWN}
                return {**resolved, **beside} if isinstance(resolved, dict) else resolved
            case dict():
                return {key: resolve(value) for key, value in node.items() if key not in _OWN}
            case list():
                return [resolve(item) for item in node]
            case _:
                return node

    resolved = resolve(schema)
    if not isinstance(resolved, dict):
        raise TypeError("A message's schema is an object.")
    return resolved
