"""P2: requests a second that a shop's checkout answers, with what happens recorded and without.

Four clients, each a process of its own as behind a real server, call Django's WSGI handler: the
middleware, a view that reads the order from JSON and writes it in a transaction, and an answer.
Sessions of the database are kept, as a shop that counts its requests has it (`CONN_MAX_AGE`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection

from tests.benchmarks.clients import clients
from tests.benchmarks.command import Plan
from tests.benchmarks.figures import Figure, Report
from tests.benchmarks.floors import reached
from tests.benchmarks.shop.models import Customer, Order
from wagtail_triggers.events.models import Event

CLIENTS = 4
#: Requests of each client before the first that counts.
WARM_UP = 15


def measure(plan: Plan) -> Report:
    """Let each client send `plan.size` requests a round, of each sort in turn."""
    customer = Customer.objects.create(first_name="Ada", last_name="L", email="ada@shop.example")
    application = get_wsgi_application()

    def work(path: str, number: int, handicap: float) -> None:
        connection.settings_dict["CONN_MAX_AGE"] = 600
        for _one in range(number):
            _request(application, path, customer.pk)
            if handicap:
                time.sleep(handicap)

    rounds = []
    with clients(CLIENTS, {"work": work}) as all_of_them:
        for path in ("/plain/", "/tracked/"):
            all_of_them.call("work", path, WARM_UP, 0.0)
        before = Event.objects.count()
        for _number in range(plan.rounds):
            plain, _answers = all_of_them.call("work", "/plain/", plan.size, 0.0)
            tracked, _answers = all_of_them.call("work", "/tracked/", plan.size, plan.handicap)
            each = CLIENTS * plan.size
            rounds.append((each / tracked, each / plain))
    assert Event.objects.count() - before == plan.rounds * CLIENTS * plan.size
    assert Order.objects.count() == 2 * CLIENTS * (WARM_UP + plan.rounds * plan.size)
    figure = Figure.of_rounds(
        "p2", rounds, goal=0.8, better="higher", unit="/s", reached=reached("p2")
    )
    return Report([figure], {"size": plan.size, "rounds": rounds})


def _request(application: Callable[..., Any], path: str, customer: int) -> None:
    body = json.dumps({"customer": customer, "lines": [["tea", "Sencha", 2, "9.50"]]}).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    answered: list[str] = []
    response = application(environ, lambda status, headers: answered.append(status))
    content = b"".join(response)
    response.close()
    assert answered == ["200 OK"], (answered, content)
