"""Who may do what. Records are made by the engine; nobody edits them by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import policy_registry, register_permission_policy

from ..contacts.models import Contact
from ..engine.models import Enrolment, Task
from ..events.models import Event
from ..journeys.models import Journey
from ..messages.models import Message

#: What the engine writes and people only read.
RECORDS: tuple[type[Model], ...] = (Contact, Enrolment, Task, Message, Event)


class RecordPolicy(ModelPermissionPolicy):
    """Lets those with the "view" permission look, and nobody (superusers included) change."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        """Say whether `user` may look; every other action is refused."""
        return action == "view" and bool(super().user_has_permission(user, action))

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        """Say whether looking is among `actions` and `user` may look."""
        return "view" in actions and self.user_has_permission(user, "view")

    def users_with_any_permission(self, actions: Iterable[str]) -> QuerySet[Any]:
        """Return those who may look, where looking is among `actions`; else nobody."""
        users: QuerySet[Any] = super().users_with_any_permission(["view"])
        return users if "view" in actions else users.none()


def register_policies() -> None:
    """Register the policy of every record. Must run before anything looks a policy up."""
    for model in RECORDS:
        register_permission_policy(model, RecordPolicy(model))


def may_view(user: Any, model: type[Model]) -> bool:
    """Say whether `user` may read rows of `model` in the admin."""
    actions = {"add", "change", "delete", "view"}
    return bool(policy_registry.get_by_type(model).user_has_any_permission(user, actions))


def may_retry(user: Any) -> bool:
    """Say whether `user` may set parked runs going again: messages go out by it, as by publishing.

    Reading the runs is asked for as well: nobody acts on what they cannot see.
    """
    may_publish = policy_registry.get_by_type(Journey).user_has_permission(user, "publish")
    return bool(may_publish) and may_view(user, Enrolment)


def may_decide(user: Any) -> bool:
    """Say whether `user` may decide tasks; nobody decides what they cannot see."""
    return bool(user.has_perm("wagtail_triggers.decide_task")) and may_view(user, Task)


def view_permission(model: type[Model]) -> QuerySet[Permission]:
    """The permission to look at rows of `model`, for the form of a group."""
    content_type = ContentType.objects.get_for_model(model, for_concrete_model=False)
    codename = f"view_{model._meta.model_name}"
    return Permission.objects.filter(content_type=content_type, codename=codename)
