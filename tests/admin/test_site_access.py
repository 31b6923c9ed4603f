"""Permissions hold on the sites that a group serves: nobody reaches into another site."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from wagtail.models import Site

from tests.admin.conftest import History
from tests.shop import publish_on
from wagtail_triggers.admin.access import sites_of
from wagtail_triggers.admin.models import SiteAccess
from wagtail_triggers.admin.permissions import policy_of, visible
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Message

GRAPH = {
    "nodes": [
        {"id": "in", "kind": "entry", "settings": {"event": "cart_updated"}},
        {"id": "out", "kind": "end"},
    ],
    "edges": [{"source": "in", "port": "next", "target": "out"}],
}


@pytest.fixture
def other_site(db: None) -> Site:
    """A second shop."""
    default = Site.objects.get(is_default_site=True)
    made: Site = Site.objects.create(hostname="b.example", root_page=default.root_page)
    return made


def group(name: str, codenames: tuple[str, ...], *sites: Site) -> Group:
    """A group with permissions of ours on these sites; none: on every one."""
    made = Group.objects.create(name=name)
    ours = Permission.objects.filter(content_type__app_label="wagtail_triggers")
    made.permissions.set(
        [*ours.filter(codename__in=codenames), Permission.objects.get(codename="access_admin")]
    )
    for site in sites:
        SiteAccess.objects.create(group=made, site=site)
    return made


def member(*groups: Group) -> User:
    """Somebody in these groups."""
    user: User = User.objects.create_user(f"user{User.objects.count()}", password="x")
    user.groups.set(groups)
    return user


def login(user: User) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(user)
    return client


def test_group_without_sites_serves_every_site(history: History, other_site: Site) -> None:
    user = member(group("All", ("view_contact",)))
    assert sites_of(user, "view_contact") is None
    assert sites_of(user, "view_message") == frozenset()
    assert list(visible(user, Contact.objects.all())) == [history.contact]


def test_group_of_one_site_sees_nothing_of_another(history: History, other_site: Site) -> None:
    everything = ("view_contact", "view_journey", "view_message", "view_enrolment")
    stranger = login(member(group("B", everything, other_site)))
    for space, row in (
        ("triggers_contacts", history.contact),
        ("triggers_enrolments", history.run),
        ("triggers_messages", history.message),
        ("triggers_journeys", history.journey),
    ):
        answer = stranger.get(reverse(f"{space}:inspect", args=[row.pk]))
        assert (answer.status_code, answer["Location"]) == (302, "/admin/"), space
        index = "list" if space == "triggers_journeys" else "index"
        html = stranger.get(reverse(f"{space}:{index}")).content.decode()
        assert str(history.contact) not in html
        assert reverse(f"{space}:inspect", args=[row.pk]) not in html
    body = stranger.get(reverse("triggers_messages:body", args=[history.message.pk]))
    assert body.status_code == 302


def test_right_to_write_on_one_site_is_none_on_a_site_that_may_be_looked_at(
    history: History, other_site: Site
) -> None:
    here = history.journey.site
    user = member(
        group("Editors B", ("view_journey", "change_journey", "publish_journey"), other_site),
        group("Readers A", ("view_journey",), here),
    )
    theirs = publish_on(other_site, "Theirs", GRAPH)
    client = login(user)
    assert client.get(reverse("triggers_journeys:edit", args=[theirs.pk])).status_code == 200
    assert client.get(reverse("triggers_journeys:pause", args=[theirs.pk])).status_code == 200
    refused = client.get(reverse("triggers_journeys:edit", args=[history.journey.pk]))
    assert refused.status_code == 302
    assert client.post(reverse("triggers_journeys:pause", args=[history.journey.pk]))["Location"]
    history.journey.refresh_from_db()
    assert history.journey.state == Journey.State.RUNNING
    page = reverse("triggers_journeys:inspect", args=[history.journey.pk])
    assert client.get(page).status_code == 200
    assert set(visible(user, Journey.objects.all())) == {*Journey.objects.all()}


def test_policy_names_those_whom_a_workflow_tells_of_a_site(
    history: History, other_site: Site
) -> None:
    here = member(group("A", ("publish_journey",), history.journey.site))
    there = member(group("B", ("publish_journey",), other_site))
    anywhere = member(group("All", ("publish_journey",)))
    told = policy_of(Journey).users_with_permission_for_instance("publish", history.journey)
    assert set(told) == {here, anywhere}
    assert there not in told


def test_superuser_and_rights_given_in_person_hold_everywhere(
    history: History, other_site: Site
) -> None:
    user = member(group("B", ("view_message",), other_site))
    assert list(visible(user, Message.objects.all())) == []
    user.user_permissions.add(Permission.objects.get(codename="view_message"))
    assert visible(User.objects.get(pk=user.pk), Message.objects.all()).exists()


def test_group_form_binds_a_group_to_the_sites_that_are_ticked(
    chief: Client, other_site: Site
) -> None:
    made = group("Shop B", ("view_journey",))
    url = reverse("wagtailusers_groups:edit", args=[made.pk])
    html = chief.get(url).content.decode()
    assert "Triggers: sites" in html
    data = {
        "name": "Shop B",
        "permissions": [],
        "page_permissions-TOTAL_FORMS": 0,
        "page_permissions-INITIAL_FORMS": 0,
        "collection_permissions-TOTAL_FORMS": 0,
        "collection_permissions-INITIAL_FORMS": 0,
    }
    for prefix in ("document_permissions", "image_permissions", "collection_permissions"):
        data[f"{prefix}-TOTAL_FORMS"] = data[f"{prefix}-INITIAL_FORMS"] = 0
    ticked = {**data, "triggers_sites-shown": "True", "triggers_sites-sites": [other_site.pk]}
    chief.post(url, ticked)
    served = SiteAccess.objects.filter(group=made).values_list("site", flat=True)
    assert list(served) == [other_site.pk]
    chief.post(url, data)  # the panel was not there: nothing is widened
    assert list(served.all()) == [other_site.pk]
    chief.post(url, {**data, "triggers_sites-shown": "True"})
    assert list(served.all()) == []


def test_chooser_offers_what_is_of_a_site_of_ones_own(history: History, other_site: Site) -> None:
    stranger = login(member(group("B", ("view_template", "change_template"), other_site)))
    owner = login(member(group("A", ("view_template",), history.journey.site)))
    from wagtail_triggers.messages.models import Template

    space = Template.snippet_viewset.chooser_viewset.get_url_name("choose")
    assert str(history.template) not in stranger.get(reverse(space)).content.decode()
    assert str(history.template) in owner.get(reverse(space)).json()["html"]
