"""What the API takes and gives. Its OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
)

#: Events of one request.
MOST = 500


def _text(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError("Write it as a text, in the form of ISO 8601.")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_text)]
Day = Annotated[date, BeforeValidator(_text)]
Short = Annotated[str, Field(max_length=320)]


class ContactIn(Schema):
    """A person, as far as you know. At least one of the first five is needed."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[
        StrictStr | StrictInt | None, Field(description="Your own id of a customer.")
    ] = None
    email: Short = ""
    phone: Short = ""
    cookie_id: Short = ""
    external_id: Short = ""
    first_name: Short = ""
    last_name: Short = ""
    language: Annotated[str, Field(max_length=35, description="BCP 47, such as en or zh-Hans.")] = (
        ""
    )
    time_zone: Annotated[str, Field(max_length=64, description="IANA, such as Europe/Berlin.")] = ""
    birthday: Day | None = None
    signed_in: StrictBool = False
    email_verified: StrictBool = False
    facts: dict[str, Any] | None = None


class EventIn(Schema):
    """Something that happened."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=64, examples=["order_placed"])]
    contact: ContactIn | None = None
    key: Annotated[str, Field(max_length=128, description="The id of the order, the cart …")] = ""
    payload: dict[str, Any] = {}
    occurred_at: Moment | None = None
    id: Annotated[
        str | None,
        Field(max_length=200, min_length=1, description="A second event with this id is ignored."),
    ] = None


class EventsIn(Schema):
    """Several events; each is judged by itself."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MOST)]


class ContactsIn(Schema):
    """Several people."""

    model_config = ConfigDict(extra="forbid")

    contacts: Annotated[list[ContactIn], Field(min_length=1, max_length=MOST)]


class ResultOut(Schema):
    """What became of one entry."""

    status: Literal["recorded", "duplicate", "refused"]
    error: str = ""


class ResultsOut(Schema):
    """What became of each entry, in the order in which they came."""

    recorded: int
    duplicate: int
    refused: int
    results: list[ResultOut]


class ErrorOut(Schema):
    """What is wrong, and how to put it right."""

    detail: Any


class JourneyOut(Schema):
    """A journey."""

    uid: str
    name: str
    description: str
    state: str
    live: bool
    version: int | None
    priority: int


class StatisticsOut(Schema):
    """What a journey has done; `sent_by_day` are its messages of each day, the oldest first."""

    uid: str
    active: int
    entered: int
    ended: int
    converted: int
    sent: int
    sent_by_day: list[int]


class RunOut(Schema):
    """One person's run through a journey."""

    id: int
    journey: str
    version: int
    contact: str
    key: str
    state: str
    reason: str
    node: str
    entered_at: datetime
    wake_at: datetime | None
    ended_at: datetime | None


class MessageOut(Schema):
    """A message. The address is not told."""

    id: str
    contact: str
    run: int | None
    node: str
    channel: str
    kind: str
    state: str
    reason: str
    subject: str
    planned_at: datetime
    settled_at: datetime | None


class JourneysOut(Schema):
    """A page of journeys; ask again with `next` for the one after it."""

    items: list[JourneyOut]
    next: str | None


class RunsOut(Schema):
    """A page of runs; ask again with `next` for the one after it."""

    items: list[RunOut]
    next: str | None


class MessagesOut(Schema):
    """A page of messages; ask again with `next` for the one after it."""

    items: list[MessageOut]
    next: str | None
