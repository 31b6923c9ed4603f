"""What the shop itself announces.

Salesman announces a status only, and saves an order before its items; so the shop sends signals of
its own, each at the moment when the thing has truly happened, in the transaction in which it did.
"""

from __future__ import annotations

from django.dispatch import Signal

#: A customer made an account. Arguments: user, request, newsletter (bool).
customer_registered = Signal()

#: Somebody looked at an article. Arguments: product, request.
product_viewed = Signal()

#: Somebody searched. Arguments: query, results (int), request.
searched = Signal()

#: The checkout has an address. Arguments: basket, request.
checkout_started = Signal()

#: An order is complete, with its items. Arguments: order, request.
order_placed = Signal()
