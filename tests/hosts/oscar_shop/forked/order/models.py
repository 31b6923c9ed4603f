"""An order that knows who packs it."""

from django.db import models
from oscar.apps.order.abstract_models import AbstractOrder


class Order(AbstractOrder):
    packed_by = models.CharField(max_length=50, blank=True)


from oscar.apps.order.models import *  # noqa: E402, F403
