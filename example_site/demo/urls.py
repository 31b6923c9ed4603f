"""Inbox and clock of the demonstration."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "demo"

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/count/", views.count, name="count"),
    path("inbox/<int:number>/", views.inbox, name="mail"),
    path("inbox/<int:number>/html/", views.html, name="html"),
    path("demo/skip/", views.skip, name="skip"),
]
