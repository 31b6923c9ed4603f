"""Webhook: tell another system, signed as Standard Webhooks says."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from ....core.endpoints import get_endpoint
from ....core.http import TOTAL_SECONDS, Fate, request
from ....core.standard_webhooks import headers
from ....exceptions import ConfigurationError
from ...models import Job
from ..base import JobKind, Outcome
from ..registry import register_job

GONE: Final = 410
NO_LONGER: Final = gettext_noop(
    "HTTP 410: the other side wants no more of these. Take the step out, or correct the address."
)


@register_job
class WebhookJob(JobKind):
    """A POST to an endpoint of the settings. Each attempt carries the same id and the same body."""

    identifier = "webhook"
    label = _("Webhook")
    hard_timeout = TOTAL_SECONDS + 2

    def lane(self, job: Job) -> str:
        """Return the endpoint: one that is down holds up no other."""
        return f"webhook:{job.data.get('endpoint')}"

    def carry_out(self, job: Job, moment: datetime) -> Outcome:
        """Send it. `data` is as the step `webhook` wrote it."""
        try:
            endpoint = get_endpoint(job.data["endpoint"])
        except ConfigurationError as error:
            return Outcome(Fate.NEVER_LEFT, detail=str(error))
        body = json.dumps(job.data["body"], separators=(",", ":"), sort_keys=True).encode()
        reply = request(
            "POST",
            endpoint.url,
            body=body,
            headers={
                "Content-Type": "application/json",
                **headers(endpoint.secrets, str(job.public_id), moment, body),
            },
        )
        if reply.status == GONE:
            return Outcome(Fate.REFUSED, detail=NO_LONGER)
        return Outcome(
            reply.fate,
            result={"status": reply.status},
            detail=reply.detail,
            retry_after=reply.retry_after,
        )
