"""Markup that people have stored runs nowhere: not in the admin, not in a preview, not in a mail.

Every text field of every table is filled with it at once, and every screen is opened (Q17).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route

from tests.admin.conftest import History, clock, history
from tests.admin.test_markup import WAGTAILS, pages
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.events.models import Event
from wagtail_triggers.messages.letter import letter
from wagtail_triggers.messages.models import Message, MessageEvent, Template, TriggersSettings
from wagtail_triggers.messages.picture_field import PictureField
from wagtail_triggers.messages.preview_page import POLICY

from .conftest import PATIENCE
from .payloads import EVERYTHING, PAYLOADS, SHORT

__all__ = ["clock", "history"]

#: What steers the program instead of being shown, and what has a form of its own.
STEERING: Final = frozenset(
    {
        "Contact.time_zone", "Contact.currency", "Event.name", "Event.dedupe_key", "Event.refs",
        "Message.channel", "Message.address_hash", "Message.body_hash", "Message.context",
        "Message.idempotency_key", "Message.node", "TemplateVersion.language",
        "TemplateVersion.subject", "TemplateVersion.preheader", "TemplateVersion.html",
        "TemplateVersion.text", "Template.body", "Template.event", "Journey.graph",
        "JourneyVersion.graph", "Enrolment.node", "StepRun.node", "StepRun.kind", "Job.node",
        "Job.kind", "TriggersSettings.time_zone", "Topic.slug", "Enrolment.time_zone",
    }
)  # fmt: skip
#: How Wagtail starts a form of several rows, inline.
INLINE_PANEL: Final = "(function() {\n            var panel = ne"
#: A policy that only reports: what would run is counted, and nothing is kept from running.
WATCH: Final = "script-src 'self' 'report-sample'"
SPY: Final = """
document.addEventListener('securitypolicyviolation', (event) => {
  if (event.effectiveDirective.startsWith('script-src')) violated(event.sample || event.blockedURI);
});
"""


def is_text(model: type[models.Model], field: Any) -> bool:
    """Whether people's words can stand in a field."""
    if not isinstance(field, models.CharField | models.TextField | models.JSONField):
        return False
    if field.choices or field.unique or field.primary_key or isinstance(field, PictureField):
        return False
    return f"{model.__name__}.{field.name}" not in STEERING


def filled(field: Any, present: Any, number: int) -> Any:
    """A field's value, full of markup."""
    if isinstance(field, models.JSONField):
        if field.name == "trail":  # written by the engine alone, in this shape
            return [{"state": SHORT, "reason": EVERYTHING, "until": SHORT, "at": SHORT}]
        if isinstance(present, list):
            return [*PAYLOADS]
        return {**(present or {}), "evil": [*PAYLOADS], SHORT: EVERYTHING}
    limit = field.max_length
    if limit is None or limit >= len(EVERYTHING):
        return EVERYTHING
    own = PAYLOADS[number % len(PAYLOADS)]
    both = f"{own} {SHORT}"
    return (both if len(both) <= limit else SHORT)[:limit]


def plant() -> int:
    """Fill every text field of every row; returns how many fields there are."""
    planted = set()
    for model in apps.get_app_config("wagtail_triggers").get_models():
        fields = [field for field in model._meta.concrete_fields if is_text(model, field)]
        unique = {name for one in model._meta.total_unique_constraints for name in one.fields}
        fields = [field for field in fields if field.name not in unique]
        for number, row in enumerate(model._default_manager.order_by("pk")):
            values = {one.name: filled(one, getattr(row, one.name), number) for one in fields}
            if values:
                model._default_manager.filter(pk=row.pk).update(**values)
            planted |= {f"{model.__name__}.{name}" for name in values}
    return len(planted)


def crowd(history: History) -> None:
    """As many people, events and messages as there are payloads, each named after one."""
    for model in (Contact, Event, Message):
        first: Any = model._default_manager.order_by("pk").first()
        for number in range(len(PAYLOADS)):
            first.pk = None
            for field in model._meta.concrete_fields:
                if field.unique and not field.primary_key:
                    value = field.get_default()
                    text = isinstance(field, models.CharField)
                    setattr(first, field.name, f"copy:{number}" if text else value)
            if isinstance(first, Event):
                first.dedupe_key = f"copy:{number}"
            first._state.adding = True
            first.save()


@pytest.fixture
def fired(browser: Browser, live_server: Any) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A superuser's page; what ran that people had stored, and what a policy would have stopped."""
    User.objects.create_superuser(SHORT[:30], "chief@example.com", "x")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    ran: list[str] = []
    violated: list[str] = []
    context.expose_function("fired", lambda *_args: ran.append(page.url))
    context.expose_function("violated", lambda sample: violated.append(f"{page.url} {sample}"))
    context.add_init_script(SPY)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())

    def watched(route: Route) -> None:
        if route.request.resource_type != "document":
            route.fallback()
            return
        response = route.fetch()
        headers = {**response.headers, "content-security-policy-report-only": WATCH}
        route.fulfill(response=response, headers=headers)

    page.goto(f"{live_server.url}/admin/login/")
    page.fill("#id_username", SHORT[:30])
    page.fill("#id_password", "x")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    page.route("**/admin/**", watched)
    yield page, ran, violated
    context.close()


def poke(page: Page) -> None:
    """Touch what only runs when it is touched: the focus, and the pointer over everything."""
    page.evaluate(
        """() => {
          const armed = '[onfocus], [onmouseover], [autofocus]';
          document.querySelectorAll(armed).forEach((one) => {
            one.dispatchEvent(new Event('focus'));
            one.dispatchEvent(new Event('mouseover'));
          });
        }"""
    )


def not_wagtails(violated: Sequence[str]) -> list[str]:
    """Violations, without the inline starters of Wagtail's own inputs.

    Its editor starts more of them than are known by name; there only what was stored counts, and
    `tests/admin/test_markup.py` looks through the source of those pages.
    """
    return [
        one
        for one in violated
        if "fired" in one
        or not any(part in one for part in ("/edit/", "initDateChooser(", INLINE_PANEL, *WAGTAILS))
    ]


def test_markup_in_every_stored_text_runs_on_no_screen_and_in_no_mail(
    live_server: Any,
    history: History,
    fired: tuple[Page, list[str], list[str]],
) -> None:
    page, ran, violated = fired
    assert len(PAYLOADS) >= 60
    draft = history.template
    draft.refresh_from_db()
    MessageEvent.objects.create(
        site_id=history.run.site_id,
        message_id=history.message.pk,
        kind=MessageEvent.Kind.BOUNCED,
        at=history.message.planned_at,
        recorded_at=history.message.planned_at,
        provider="Test",
        provider_event_id="1",
    )
    TriggersSettings.objects.get_or_create(site_id=history.run.site_id)
    crowd(history)
    assert plant() > 40
    _plant_template(draft)
    screens = {**pages(history), **_more(history)}
    # Forms without a row show nothing that anybody has stored.
    urls = {name: url for name, url in screens.items() if not name.endswith((":add", ":usage"))}
    broken: list[str] = []
    for name, url in urls.items():
        answer = page.goto(live_server.url + url, wait_until="domcontentloaded")
        assert answer is not None, name
        if answer.status >= 500:
            broken.append(f"{name} {url}")
        poke(page)
        assert page.locator("body").count() == 1, name
    assert broken == []
    for html in _mails(history):
        # Outside of any frame and without a policy, as a careless mail program would show it.
        page.set_content(html, wait_until="domcontentloaded")
        poke(page)
        assert page.locator("body").count() == 1
    page.wait_for_timeout(300)
    assert ran == []
    assert not_wagtails(violated) == []
    assert "sandbox" in POLICY
    # The trap works: what is let in unescaped runs, and is told of.
    page.goto(live_server.url + "/admin/")
    page.evaluate("document.body.innerHTML = '<img src=x onerror=fired()>'")
    page.wait_for_timeout(1_000)
    assert len(ran) == 1
    assert not_wagtails(violated) != []


def _plant_template(draft: Template) -> None:
    """A draft whose every text is hostile, as an editor could have saved it."""
    draft.refresh_from_db()
    draft.body = [("html", EVERYTHING.replace("{%", "").replace("{{", "")), ("text", SHORT)]
    draft.subject = draft.preheader = SHORT
    draft.sms_body = draft.push_title = draft.push_body = SHORT
    draft.push_url = "javascript:fired()"
    # Wagtail's editor of rich text takes nothing that is not well formed.
    draft.onsite_body = '<p><img src="x" onerror="fired()"/><b onmouseover="fired()">x</b></p>'
    draft.save()
    draft.save_revision()


def _more(history: History) -> dict[str, str]:
    """Screens besides those of `pages`: the rest of long lists, every preview, tests, start."""
    preview = reverse("triggers_templates:preview_on_edit", args=[history.template.pk])
    found = {f"preview {mode}": f"{preview}?mode={mode}" for mode, _ in Template().preview_modes}
    for space in ("contacts", "events", "messages"):
        found[f"{space} 2"] = reverse(f"triggers_{space}:index") + "?p=2"
    tests = reverse("triggers_templates:test_send", args=[history.template.pk])
    found |= {"start": "/admin/", "tests": tests}
    found["body"] = reverse("triggers_messages:body", args=[history.message.pk])
    found["site history"] = "/admin/reports/site-history/"
    return found


def _mails(history: History) -> Iterator[str]:
    """What would be sent to somebody all of whose data is markup."""
    version = history.message.template_version
    lines = [
        {"name": one, "url": one, "image_url": one, "quantity": 1, "unit_price": {"amount": one}}
        for one in PAYLOADS
    ]
    for payload in (EVERYTHING, SHORT):
        version.html = version.html.replace("<body", "<body ", 1)
        context = {
            "contact": {"first_name": payload, "name": payload},
            "cart": {"lines": lines, "url": "javascript:fired()"},
            "links": {"unsubscribe": "https://shop.example/u"},
        }
        yield letter(version, context).html
