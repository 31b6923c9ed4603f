"""The API's endpoints. Its document is at `openapi.json` beside them."""

from __future__ import annotations

import logging
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Path, Query, Router
from ninja.errors import HttpError
from ninja.responses import Status
from pydantic import Field, ValidationError

from .. import __version__
from ..core.standard_webhooks import BadSignature
from ..core.strict_json import MAX_BYTES, BadJson, loads
from ..exceptions import ConfigurationError
from . import queries
from .intake import record_contact, record_event, summed
from .models import Scope
from .parsing import StrictParser
from .schemas import (
    ContactIn,
    ContactsIn,
    ErrorOut,
    EventIn,
    EventsIn,
    JourneyOut,
    JourneysOut,
    MessagesOut,
    ResultOut,
    ResultsOut,
    RunsOut,
    StatisticsOut,
)
from .security import Bearer, Busy, count
from .signed import UnknownSource, accept

logger = logging.getLogger("wagtail_triggers.api")

#: The largest key of a table.
LARGEST = 2**63 - 1
After = Annotated[int, Query(ge=0, le=LARGEST, description="`next` of the page before.")]
Days = Annotated[int, Query(ge=1, le=365)]
Text = Annotated[str, Query(max_length=400, pattern=r"^[^\x00]*$")]
Id = Annotated[int | None, Query(ge=1, le=LARGEST)]
Uid = Annotated[UUID, Path()]

REFUSALS: dict[int, Any] = {
    400: ErrorOut, 401: ErrorOut, 403: ErrorOut, 413: ErrorOut, 422: ErrorOut, 429: ErrorOut,
}  # fmt: skip

router = Router()


def _source(token: Any) -> str:
    return f"api:{token.pk}"


@router.post(
    "/events",
    response={202: ResultOut, **REFUSALS},
    auth=Bearer(Scope.EVENTS),
    summary="Record an event",
)
def post_event(request: HttpRequest, event: EventIn) -> Status[dict[str, str]]:
    """Something happened to somebody. With an `id` it may be sent again without harm."""
    token = count(request, 1)
    result = record_event(event, site=token.site_id, source=_source(token))
    if result["status"] == "refused":
        raise HttpError(422, result["error"])
    return Status(202, result)


@router.post(
    "/events/batch",
    response={202: ResultsOut, **REFUSALS},
    auth=Bearer(Scope.EVENTS),
    summary="Record several events",
)
def post_events(request: HttpRequest, batch: EventsIn) -> Status[dict[str, Any]]:
    """Each event is judged by itself: a faulty one does not hold up the others."""
    token = count(request, len(batch.events))
    results = [record_event(one, site=token.site_id, source=_source(token)) for one in batch.events]
    return Status(202, summed(results))


@router.post(
    "/contacts",
    response={202: ResultOut, **REFUSALS},
    auth=Bearer(Scope.CONTACTS),
    summary="Say what is known of a person",
)
def post_contact(request: HttpRequest, contact: ContactIn) -> Status[dict[str, str]]:
    """Names, language, time zone, birthday and declared facts; what is left out stays."""
    token = count(request, 1)
    result = record_contact(contact, site=token.site_id)
    if result["status"] == "refused":
        raise HttpError(422, result["error"])
    return Status(202, result)


@router.post(
    "/contacts/batch",
    response={202: ResultsOut, **REFUSALS},
    auth=Bearer(Scope.CONTACTS),
    summary="Say what is known of several people",
)
def post_contacts(request: HttpRequest, batch: ContactsIn) -> Status[dict[str, Any]]:
    """Each person is judged by themselves."""
    token = count(request, len(batch.contacts))
    return Status(202, summed([record_contact(one, site=token.site_id) for one in batch.contacts]))


@router.post(
    "/sources/{name}/events",
    response={202: ResultsOut, 503: ErrorOut, **REFUSALS, 404: ErrorOut},
    auth=None,
    summary="Record events with a Standard Webhooks signature",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "required": ["events"], "properties": {
                        "events": {"type": "array", "minItems": 1, "maxItems": 500,
                                   "items": {"type": "object"}}}}
                }
            },
        }
    },
)  # fmt: skip
def post_signed(
    request: HttpRequest, name: Annotated[str, Path(max_length=64, pattern=r"^[^\x00]*$")]
) -> Status[dict[str, Any]]:
    """The body is `{"events": [...]}`; `webhook-id` makes a repetition harmless."""
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise HttpError(413, f"The body has more than {MAX_BYTES} bytes.")
    try:
        site, sent = accept(name, request.headers, body)
        batch = EventsIn.model_validate(loads(body))
    except UnknownSource:
        raise HttpError(404, "There is no such source in WAGTAIL_TRIGGERS_SOURCES.") from None
    except BadSignature as error:
        raise HttpError(401, str(error)) from None
    except BadJson as error:
        raise HttpError(400, str(error)) from None
    except ValidationError as error:
        raise HttpError(422, _words(error)) from None
    except (ConfigurationError, ValueError):
        logger.exception("The source %r is not set up as it must be", name)
        raise HttpError(503, "The source is not set up as it must be; the log says what.") from None
    results = [
        record_event(one, site=site, source=f"source:{name}"[:64], id=f"{sent}:{number}")
        for number, one in enumerate(batch.events)
    ]
    return Status(202, summed(results))


@router.get(
    "/journeys",
    response={200: JourneysOut, **REFUSALS},
    auth=Bearer(Scope.READ),
    summary="List journeys",
)
def get_journeys(request: HttpRequest, after: After = 0) -> dict[str, Any]:
    """Every journey of the token's site, drafts too."""
    token = count(request, 1)
    return queries.journeys(token.site_id, after)


@router.get(
    "/journeys/{uid}",
    response={200: JourneyOut, **REFUSALS, 404: ErrorOut},
    auth=Bearer(Scope.READ),
    summary="Show a journey",
)
def get_journey(request: HttpRequest, uid: Uid) -> dict[str, Any]:
    """One journey."""
    token = count(request, 1)
    return queries.shown_journey(_journey(token.site_id, uid))


@router.get(
    "/journeys/{uid}/statistics",
    response={200: StatisticsOut, **REFUSALS, 404: ErrorOut},
    auth=Bearer(Scope.READ),
    summary="Count what a journey did",
)
def get_statistics(request: HttpRequest, uid: Uid, days: Days = 30) -> dict[str, Any]:
    """How many entered, left, converted, and what was sent on each of the last days."""
    token = count(request, 1)
    return queries.statistics(_journey(token.site_id, uid), days)


@router.get(
    "/runs",
    response={200: RunsOut, **REFUSALS},
    auth=Bearer(Scope.PEOPLE),
    summary="List runs",
)
def get_runs(
    request: HttpRequest, after: After = 0, journey: UUID | None = None, contact: Text = ""
) -> dict[str, Any]:
    """Runs of a journey (its uid), or of a person (`email:ada@example.org`, `user_id:7`)."""
    token = count(request, 1)
    return queries.runs(token.site_id, after, uid=str(journey or ""), contact=contact)


@router.get(
    "/messages",
    response={200: MessagesOut, **REFUSALS},
    auth=Bearer(Scope.PEOPLE),
    summary="List messages",
)
def get_messages(
    request: HttpRequest,
    after: After = 0,
    run: Id = None,
    contact: Text = "",
    state: Annotated[str, Field(max_length=16)] = "",
) -> dict[str, Any]:
    """Messages of a run or of a person, with the state of each and why."""
    token = count(request, 1)
    return queries.messages(token.site_id, after, run=run, contact=contact, state=state)


def _journey(site: int, uid: UUID) -> Any:
    found = queries.journey(site, str(uid))
    if found is None:
        raise HttpError(404, "There is no such journey on this token's site.")
    return found


def _words(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )[:2_000]


def build() -> NinjaAPI:
    """The API, with its document and without its page for trying out, which wants a CDN."""
    api = NinjaAPI(
        title="wagtail_triggers",
        version=__version__,
        description="Events and people in, journeys and what they did out.",
        urls_namespace="wagtail_triggers_api",
        # Ninja's own page and document look for the API's name at the root of the URLconf; hosts
        # include our addresses where they like.
        docs_url=None,
        openapi_url=None,
        parser=StrictParser(),
    )
    api.add_router("", router)

    @api.exception_handler(Busy)
    def busy(request: HttpRequest, error: Busy) -> HttpResponse:
        words = {"detail": f"The limit of this minute is used up. Wait {error.seconds} s."}
        response = api.create_response(request, words, status=429)
        response["Retry-After"] = str(error.seconds)
        return response

    @api.exception_handler(HttpError)
    def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
        # What the parser says is hidden behind ninja's own words.
        said = error.__cause__ if isinstance(error.__cause__, HttpError) else error
        return api.create_response(request, {"detail": str(said)}, status=said.status_code)

    return api


api = build()


def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, with the addresses that the project has given to the API."""
    prefix = request.path.removesuffix("openapi.json")
    return JsonResponse(api.get_openapi_schema(path_prefix=prefix))
