"""The packing table of the demonstration: another system, told by a signed webhook.

A real one stands elsewhere. It does the same three things: look at the signature, know a message
that comes again by its id, and answer quickly.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from wagtail_triggers.core import clock
from wagtail_triggers.core.standard_webhooks import BadSignature, verify

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,128}")


def folder() -> Path:
    """Return where the notes lie."""
    return Path(settings.VAR) / "packing"


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take a note; one that comes again takes the place of itself."""
    secret = settings.WAGTAIL_TRIGGERS_WEBHOOKS["packing"]["SECRET"]
    try:
        name = verify([secret], dict(request.headers), request.body, clock.now())
    except BadSignature as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain")
    if not _PLAIN.fullmatch(name):
        return HttpResponse("This id is none.", status=400, content_type="text/plain")
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / f"{name}.json").write_bytes(request.body)
    return HttpResponse(status=204)


@never_cache
@require_GET
def notes(request: HttpRequest) -> HttpResponse:
    """List the notes, the newest first."""
    paths = sorted(folder().glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return render(request, "demo/packing.html", {"notes": [_note(path) for path in paths[:50]]})


def _note(path: Path) -> dict[str, Any]:
    said = json.loads(path.read_text(encoding="utf-8"))
    order = said.get("data", {}).get("event", {}).get("data", {})
    return {"type": said.get("type", ""), "at": said.get("timestamp", ""), "order": order}
