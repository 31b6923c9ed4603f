"""The fork, as `manage.py oscar_fork_app order` writes it."""

from oscar.apps.order import apps


class OrderConfig(apps.OrderConfig):
    name = "tests.hosts.oscar_shop.forked.order"
