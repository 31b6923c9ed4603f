"""Who may do what, and on which site. Records are made by the engine; nobody edits them by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import policy_registry, register_permission_policy

from ..consent.models import Topic
from ..contacts.models import Contact
from ..engine.models import Enrolment, Task
from ..events.models import Event
from ..journeys.models import Journey
from ..messages.models import Message, Template
from . import access

#: What people write, and what the engine writes and people only read.
WRITTEN: tuple[type[Model], ...] = (Journey, Template, Topic)
RECORDS: tuple[type[Model], ...] = (Contact, Enrolment, Task, Message, Event)

#: Whoever may do one of these with a row may look at it.
ANY_ACTION: Final = frozenset({"add", "change", "delete", "view", "publish"})


class SitePolicy(ModelPermissionPolicy):
    """Permissions of a model whose rows belong to a site (`access` says where they hold)."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        """Say whether `user` may do this on the site at hand, or on any."""
        return access.has(user, self._get_permission_codename(action))

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        """Say whether `user` may do this with a row; one without a site yet is on any."""
        codename = self._get_permission_codename(action)
        return access.has(user, codename, getattr(instance, "site_id", None))

    def sites(self, user: Any, actions: Iterable[str]) -> access.Sites:
        """Return where `user` may do one of these; None is everywhere."""
        return access.sites_of_any(user, self._get_permission_codenames(actions))

    def instances_user_has_any_permission_for(
        self, user: Any, actions: Iterable[str]
    ) -> QuerySet[Any]:
        """Return the rows of the sites on which `user` may do one of these."""
        return on_sites(self.model._default_manager.all(), self.sites(user, actions))

    def users_with_any_permission_for_instance(
        self, actions: Iterable[str], instance: Any
    ) -> QuerySet[Any]:
        """Return those who may do one of these with a row: whom a workflow tells."""
        held = Permission.objects.filter(
            content_type=self._content_type,
            codename__in=self._get_permission_codenames(actions),
        )
        everywhere = Q(groups__triggers_sites__isnull=True)
        here = everywhere | Q(groups__triggers_sites__site=getattr(instance, "site_id", None))
        users: QuerySet[Any] = self.users_with_any_permission(actions)
        mine = Q(is_superuser=True) | Q(user_permissions__in=held)
        return users.filter(mine | (Q(groups__permissions__in=held) & here)).distinct()


class RecordPolicy(SitePolicy):
    """Lets those with the "view" permission look, and nobody (superusers included) change."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        """Say whether `user` may look; every other action is refused."""
        return action == "view" and super().user_has_permission(user, action)

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        """Say whether looking is among `actions` and `user` may look."""
        return "view" in actions and self.user_has_permission(user, "view")

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        """Say whether `user` may look at the row."""
        return action == "view" and super().user_has_permission_for_instance(user, action, instance)

    def sites(self, user: Any, actions: Iterable[str]) -> access.Sites:
        """Return where `user` may look, where looking is among `actions`."""
        return super().sites(user, ["view"]) if "view" in actions else frozenset()

    def users_with_any_permission(self, actions: Iterable[str]) -> QuerySet[Any]:
        """Return those who may look, where looking is among `actions`; else nobody."""
        users: QuerySet[Any] = super().users_with_any_permission(["view"])
        return users if "view" in actions else users.none()


def register_policies() -> None:
    """Register the policy of every model. Must run before anything looks a policy up."""
    for model in WRITTEN:
        register_permission_policy(model, SitePolicy(model))
    for model in RECORDS:
        register_permission_policy(model, RecordPolicy(model))


def policy_of(model: type[Model]) -> SitePolicy:
    """Return the policy of a model of ours."""
    policy: SitePolicy = policy_registry.get_by_type(model)
    return policy


def on_sites(rows: QuerySet[Any], sites: access.Sites) -> QuerySet[Any]:
    """Return the rows of these sites; None is every site."""
    return rows if sites is None else rows.filter(site_id__in=sites)


def visible(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of these rows that `user` may look at: theirs are some sites, or all."""
    return on_sites(rows, policy_of(rows.model).sites(user, ANY_ACTION))


def may_view(user: Any, model: type[Model]) -> bool:
    """Say whether `user` may read rows of `model` in the admin."""
    return bool(policy_of(model).user_has_any_permission(user, ANY_ACTION))


def may_touch(user: Any, row: Model) -> bool:
    """Say whether `user` may look at this very row."""
    policy = policy_of(type(row))
    return bool(policy.user_has_any_permission_for_instance(user, ANY_ACTION, row))


def may_see_people(user: Any) -> bool:
    """Say whether `user` may see what tells who somebody is: names, addresses, letters.

    That is the permission to look at contacts; whoever reads runs or messages without it sees what
    happened, and not to whom.
    """
    return may_view(user, Contact)


def may_retry(user: Any) -> bool:
    """Say whether `user` may set parked runs going again: messages go out by it, as by publishing.

    Reading the runs is asked for as well: nobody acts on what they cannot see.
    """
    return policy_of(Journey).user_has_permission(user, "publish") and may_view(user, Enrolment)


def may_decide(user: Any) -> bool:
    """Say whether `user` may decide tasks; nobody decides what they cannot see."""
    return access.has(user, "decide_task") and may_view(user, Task)


def may_steer(user: Any, runs: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """Return those of these runs that `user` may try again or end: they publish on their site."""
    if not may_view(user, Enrolment):
        return runs.none()
    return on_sites(visible(user, runs), policy_of(Journey).sites(user, ["publish"]))


def view_permission(model: type[Model]) -> QuerySet[Permission]:
    """The permission to look at rows of `model`, for the form of a group."""
    content_type = ContentType.objects.get_for_model(model, for_concrete_model=False)
    codename = f"view_{model._meta.model_name}"
    return Permission.objects.filter(content_type=content_type, codename=codename)
