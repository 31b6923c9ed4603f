"""Human task: only a person settles it (`engine.jobs.tasks`)."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from ..base import JobKind
from ..registry import register_job

HUMAN_TASK: Final = "human_task"


@register_job
class HumanTaskJob(JobKind):
    """Waits for somebody under Triggers > Tasks."""

    identifier = HUMAN_TASK
    label = _("Task")
    by_person = True
