"""Inbox and clock of the demonstration."""

from __future__ import annotations

from django.urls import path

from . import packing, views

app_name = "demo"

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/count/", views.count, name="count"),
    path("inbox/<int:number>/", views.inbox, name="mail"),
    path("inbox/<int:number>/html/", views.html, name="html"),
    path("packing/", packing.notes, name="packing"),
    path("packing/receive/", packing.receive, name="packing_receive"),
    path("demo/skip/", views.skip, name="skip"),
]
