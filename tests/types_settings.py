"""For mypy alone: the example shop's settings, and every adapter beside them."""

from example_site.settings import *  # noqa: F403
from example_site.settings import INSTALLED_APPS as _OF_THE_SHOP

INSTALLED_APPS = [
    *_OF_THE_SHOP,
    "wagtail_triggers.integrations.saleor",
    "tests.hosts.salesman_shop.goods",
]
