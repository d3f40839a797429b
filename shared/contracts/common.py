"""The words that several contracts share: who acted, what category, which place, what answer."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

Slug = Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$", description="A party's short name: a-z, 0-9 and -.")]
Instant = Annotated[datetime, Meta(tz=True, description="An instant with zone, RFC 3339.")]
Code = Annotated[str, Meta(min_length=1, max_length=40)]
ShortText = Annotated[str, Meta(min_length=1, max_length=200)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]
Number = Annotated[int, Meta(ge=1)]

Post = Literal[
    "source",
    "collector",
    "acceptor",
    "duty_leader",
    "dispatcher",
    "inspector",
    "department",
    "leader",
    "street",
    "evaluator",
    "administrator",
    "system",
]
"""The posts of the field: 上报来源, 监督员, 受理员, 值班长, 派遣员, 督查员, 专业部门, 领导, 街道, 评价员, 管理员."""

TargetType = Literal["enterprise", "individual_business", "property_company", "resident", "public_space"]

Level = Literal["grid", "community", "street", "city"]
"""L1 网格, L2 社区, L3 街道, L4 市 (domain 5): who has to solve it, and where it counts as solved."""
LEVELS: Final[tuple[Level, ...]] = ("grid", "community", "street", "city")


class Message(Struct, frozen=True, kw_only=True):
    """A message of ours: readers ignore fields that they do not know, so that versions may grow."""


class Actor(Message, frozen=True, kw_only=True):
    """Who acted: the client program, its unit and post, and the person where a token names one."""

    client: str
    unit: str
    post: Post
    person: str | None = None


class Event(Message, frozen=True, kw_only=True):
    """What every event says beside its facts: when it happened (UTC) and who did it."""

    at: Instant
    by: Actor


class CategoryCode(Message, frozen=True, kw_only=True):
    """A category never travels as a bare code: code sets come in systems and versions.

    `version` is the version of the reference document `catalogue/<system>`.
    """

    system: Slug
    version: Number
    code: Code
    condition: Code


class Place(Message, frozen=True, kw_only=True):
    """Where the problem is: WGS-84 degrees, and the codes of street, community and grid."""

    longitude: float
    latitude: float
    street: str | None = None
    community: str | None = None
    grid: str | None = None


class Position(Message, frozen=True, kw_only=True):
    """Where a write stands: event `sequence` of `stream` on `topic`. `after=` takes it as topic:stream:sequence."""

    topic: str
    stream: UUID
    sequence: int


class FieldProblem(Message, frozen=True, kw_only=True):
    """One thing that is wrong with one field (see `shared.kernel.errors.FieldError`)."""

    field: str
    code: str
    message: str


class Answer(Message, frozen=True, kw_only=True):
    """What became of a request. The same (party, key) always gets the same answer (I-2).

    `subject` is the report or case that the request was about; `position` is where its last event stands,
    absent when nothing was changed.
    """

    outcome: Literal["accepted", "refused"]
    subject: UUID | None = None
    position: Position | None = None
    code: str | None = None
    detail: str | None = None
    errors: tuple[FieldProblem, ...] = ()
    revision: int | None = None


class Receipt(Message, frozen=True, kw_only=True):
    """The answer to a message that came over a topic.

    `request` is the CloudEvents id of the message; where it could not be read, `request` is None and
    `record` (topic:partition:offset) says which record is meant. A repeated message gets a repeated receipt.
    """

    request: str | None
    record: str | None
    answer: Answer
