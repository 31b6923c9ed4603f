"""Publishing a template compiles it into a frozen `TemplateVersion`."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override
from wagtail.signals import published

from ..core import clock
from ..exceptions import TemplateProblem, TriggersError
from .branding import brand_of
from .lint import lint
from .models import MessageClass, Template, TemplateVersion
from .other_sources import compile_others
from .preview import compiled_mail

logger = logging.getLogger("wagtail_triggers.publish")


def compile_template(template: Template) -> TemplateVersion:
    """Compile what is live now into a new version, unless nothing has changed.

    The form has checked all this already; a scheduled or programmatic publication has no form.

    Returns:
        The version that is live after this.

    Raises:
        TriggersError: The template has faults; the version before stays live, and the template
            keeps the problems for the editor to read.
    """
    problems = [f"{field}: {message}" for field, message in lint(template)]
    if template.message_class == MessageClass.MARKETING and template.topic_id is None:
        problems.append(_("topic: A marketing message needs one: nobody can have agreed to it."))
    Template.objects.filter(pk=template.pk).update(publish_problem="\n".join(problems))
    if problems:
        raise TemplateProblem("\n".join(problems))
    return _frozen(template)


def _frozen(template: Template) -> TemplateVersion:
    brand = brand_of(template.site)
    with override(template.locale.language_code):
        compiled = compiled_mail(template, brand)
        others = compile_others(template, brand).parts()
    parts = (
        compiled.subject,
        compiled.preheader,
        compiled.html,
        compiled.text,
        template.message_class,
        str(template.topic_id),
        json.dumps(compiled.data, sort_keys=True),
        *others.values(),
    )
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    with transaction.atomic():
        held = Template.objects.select_for_update().get(pk=template.pk)
        last: TemplateVersion | None = held.versions.order_by("-number").first()
        if last is None or last.digest != digest:
            last = TemplateVersion.objects.create(
                template=held,
                number=(last.number if last else 0) + 1,
                language=template.locale.language_code,
                message_class=template.message_class,
                topic_id=template.topic_id,
                subject=compiled.subject,
                preheader=compiled.preheader,
                html=compiled.html,
                text=compiled.text,
                **others,
                digest=digest,
                data=compiled.data,
                look=brand.digest,
                follow=template.follow,
                created_at=clock.now(),
            )
        elif (last.look, last.follow) != (brand.digest, template.follow):
            # The text is the same: what is said of it may change, the text may not.
            last.look, last.follow = brand.digest, template.follow
            last.save(update_fields=["look", "follow"])
        Template.objects.filter(pk=held.pk).update(live_version=last)
    template.live_version = last
    return last


def _on_published(sender: type[Template], instance: Template, **_kwargs: Any) -> None:
    # The signal also comes when a publication is only *scheduled*.
    if not instance.live:
        return
    try:
        compile_template(instance)
    except TriggersError:
        logger.exception("Template %s was published and cannot be compiled", instance.pk)


def connect() -> None:
    """Listen for publications. Called once from `AppConfig.ready()`."""
    published.connect(
        _on_published, sender=Template, dispatch_uid="wagtail_triggers.compile_template"
    )
