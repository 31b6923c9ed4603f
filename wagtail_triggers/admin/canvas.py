"""What the canvas asks the server: kinds of steps, what a graph says, a step's form, numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST
from pydantic import ValidationError
from wagtail.models import Site
from wagtail.permissions import policy_registry

from ..analytics.step_numbers import numbers
from ..core import clock
from ..journeys.graph import Graph, Node, thaw
from ..journeys.models import Journey
from ..journeys.problems import InvalidGraph, Problem
from ..journeys.reading import MAX_TEXT
from ..journeys.steps.base import Port, Step
from ..journeys.steps.registry import steps as step_kinds
from ..journeys.structure import build
from ..journeys.surroundings import SiteSurroundings
from ..journeys.validate import validate
from .canvas_words import WORDS
from .permissions import may_view
from .step_forms import OwnForm, at_their_places, form_digest, form_for, own_form_of
from .step_types import roughly, starter_of
from .vocabulary import Vocabulary

FORM = "wagtail_triggers/admin/step_form.html"


def kinds_for_canvas() -> list[dict[str, Any]]:
    """Return every kind of step as the palette shows it, with what a new step begins with."""
    return [_kind(kind) for kind in step_kinds.all().values()]


def _kind(kind: type[Step[Any]]) -> dict[str, Any]:
    settings = dict(kind.starter) or starter_of(kind.Settings)
    ports = ports_of(Node("new", kind.identifier, settings))
    return {
        "kind": kind.identifier,
        "label": str(kind.label),
        "description": str(kind.description),
        "icon": kind.icon,
        "role": str(kind.role),
        "settings": settings,
        "ports": _ports(ports) if ports is not None else [["next", ""]],
    }


def ports_of(node: Node) -> tuple[Port, ...] | None:
    """Return the ways out of a node; None where they cannot be told from its settings.

    Most kinds have the same ways out whatever is set, so a step is built without checking its
    settings where they are wrong.
    """
    kind = step_kinds.all().get(node.kind)
    if kind is None:
        return None
    try:
        return build(node).ports()
    except ValidationError:
        pass
    try:
        return kind(roughly(kind.Settings, thaw(node.settings))).ports()
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # its ports are made of settings that are missing or wrong


def _ports(ports: tuple[Port, ...]) -> list[list[str]]:
    return [[port.name, str(port.label)] for port in ports]


def canvas_config(site_id: int | None) -> dict[str, Any]:
    """Return what the canvas is given with the page of the editor."""
    return {
        "site": site_id,
        "kinds": kinds_for_canvas(),
        "words": {key: str(words) for key, words in WORDS.items()},
        "readingUrl": reverse("triggers_journeys:canvas"),
        "stepUrl": reverse("triggers_journeys:step"),
    }


def reading_of(data: Any, site_id: int | None) -> dict[str, Any]:
    """Return what each node says and what is wrong with it, for the canvas."""
    try:
        graph = Graph.from_json(data)
    except InvalidGraph as fault:
        return {"nodes": {}, "problems": [_problem(one) for one in fault.problems]}
    around = SiteSurroundings(site_id)
    problems = validate(graph, around) if graph.nodes else ()
    nodes = {node.id: _reading(node, around) for node in graph.nodes}
    return {"nodes": nodes, "problems": [_problem(one) for one in problems]}


def _reading(node: Node, around: SiteSurroundings) -> dict[str, Any]:
    ports = ports_of(node)
    try:
        sentence = build(node).describe(around) if node.kind in step_kinds else ""
    except ValidationError:
        sentence = ""
    return {"sentence": sentence, "ports": None if ports is None else _ports(ports)}


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "node": problem.node,
        "field": problem.field,
        "message": problem.message,
        "severity": problem.severity,
    }


def _editors_only(request: HttpRequest) -> None:
    policy = policy_registry.get_by_type(Journey)
    if not policy.user_has_any_permission(request.user, {"add", "change"}):
        raise PermissionDenied


def _site_id(request: HttpRequest) -> int | None:
    site = request.POST.get("canvas-site", "")
    known = site.isdecimal() and Site.objects.filter(pk=site).exists()
    return int(site) if known else None


def _json_of(text: str) -> Any:
    """Read JSON; what is none, or too long, is no graph and gives None."""
    if len(text) > MAX_TEXT:
        return None
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None


@require_POST
def canvas_view(request: HttpRequest) -> JsonResponse:
    """Say what the posted `canvas-graph` says and what is wrong with it; changes nothing."""
    _editors_only(request)
    return JsonResponse(
        reading_of(_json_of(request.POST.get("canvas-graph", "")), _site_id(request))
    )


@require_POST
def step_view(request: HttpRequest) -> JsonResponse:
    """Return the form for one node of the posted `graph`, and the settings that it now says.

    POST `canvas-graph`, `canvas-node` (an id in it) and `canvas-site`; with `canvas-posted`, the
    fields of the form beside them; with `canvas-do`, the button of a list that was pressed. It
    changes nothing: the canvas puts the settings into the graph, and the page's own form is what
    is saved.
    """
    _editors_only(request)
    try:
        graph = Graph.from_json(_json_of(request.POST.get("canvas-graph", "")))
    except InvalidGraph as fault:
        return JsonResponse({"problems": [str(one) for one in fault.problems]}, status=400)
    node = graph.by_id.get(request.POST.get("canvas-node", ""))
    kind = step_kinds.all().get(node.kind) if node else None
    if node is None or kind is None:
        return JsonResponse({"problems": [str(WORDS["kind_unknown"])]}, status=404)
    around = SiteSurroundings(_site_id(request))
    vocabulary = Vocabulary(around, graph, node.id, request.user)
    data = request.POST if "canvas-posted" in request.POST else None
    settings = thaw(node.settings)
    form = form_for(kind, settings, vocabulary, data)
    problems: list[Problem] = []
    if data is not None:
        settings = form.changed(form.to_settings(), request.POST.get("canvas-do", ""))
        problems = form.problems if isinstance(form, OwnForm) else []
        if not problems:
            form = form_for(kind, settings, vocabulary)
    return JsonResponse(_step_answer(request, graph, node, settings, form, problems, around))


def _step_answer(
    request: HttpRequest,
    graph: Graph,
    node: Node,
    settings: Mapping[str, Any],
    form: Any,
    own: list[Problem],
    around: SiteSurroundings,
) -> dict[str, Any]:
    changed = Node(node.id, node.kind, settings, node.position)
    nodes = tuple(changed if one.id == node.id else one for one in graph.nodes)
    found = validate(Graph(nodes, graph.edges), around)
    about = [one for one in found if one.node == node.id and not one.field.startswith("ports.")]
    parts = form.parts().bind(form)
    kind = step_kinds.get(node.kind)
    html = render_to_string(FORM, {"form": form, "part": parts, "kind": kind}, request=request)
    ports = ports_of(changed)
    return {
        "html": html,
        "digest": form_digest(html),
        "settings": settings,
        "ports": None if ports is None else _ports(ports),
        "errors": at_their_places(parts, [*own, *about]),
    }


@require_GET
def numbers_view(request: HttpRequest, pk: str) -> JsonResponse:
    """Return the numbers of every step of a journey; asks for the right to read journeys."""
    if not may_view(request.user, Journey):
        raise PermissionDenied
    journey = get_object_or_404(Journey, pk=pk)
    return JsonResponse({"numbers": numbers(journey.pk, clock.now())})


def still_canvas(graph: Any, site_id: int | None) -> dict[str, Any]:
    """Return what a canvas is given that only shows a graph."""
    return {
        **canvas_config(site_id),
        "readOnly": True,
        "graph": graph,
        "reading": reading_of(graph, site_id),
    }


def inspect_canvas(journey: Journey, graph: Any) -> dict[str, Any]:
    """Return what the canvas is given on the page to read: the graph, its words and numbers."""
    is_live = journey.live_version_id is not None
    return {
        **still_canvas(graph, journey.site_id),
        "numbers": numbers(journey.pk, clock.now()) if is_live else None,
        "numbersUrl": reverse("triggers_journeys:numbers", args=[journey.pk]) if is_live else "",
    }


def canvas_urls() -> list[URLPattern]:
    """Return the URLs of the canvas, below those of journeys."""
    return [
        path("canvas/", canvas_view, name="canvas"),
        path("canvas/step/", step_view, name="step"),
        path("numbers/<str:pk>/", numbers_view, name="numbers"),
    ]


def own_media() -> Media:
    """Return the scripts and styles of the forms that kinds of steps bring."""
    found = Media()
    for kind in step_kinds.all().values():
        own = own_form_of(kind)
        if own is not None:
            found += own().media
    return found
