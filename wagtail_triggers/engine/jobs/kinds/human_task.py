"""Human task: only a person settles it (`engine.jobs.tasks`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ...models import Task
from ..base import JobKind
from ..registry import register_job


@register_job
class HumanTaskJob(JobKind):
    """Waits for somebody under Triggers > Tasks."""

    identifier = Task.KIND
    label = _("Task")
    by_person = True
