"""Saleor's GraphQL, asked over the one egress client; the async twin does the same in a thread.

There is one way out of the process and not two, so that what `core.http` judges (addresses, ports,
redirects, sizes, seconds) holds for both.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import stamina

from ...core.http import Fate, Reply, request
from .configuration import configuration
from .exceptions import NotInstalled, SaleorRefused, SaleorUnavailable, SaleorUncertain
from .models import Instance
from .vault import unseal

#: Seconds for one question, repetitions included.
TOTAL: Final = 10.0
#: What a page brings; Saleor allows 100.
PAGE: Final = 50
#: Pages that one walk turns, so that a server which always says "more" does not hold us.
MAX_PAGES: Final = 200

Json = Mapping[str, Any]


class SaleorClient:
    """Asks one Saleor.

    Args:
        api_url: Its GraphQL address.
        token: The app's token.
    """

    def __init__(self, api_url: str, token: str) -> None:
        self.api_url = api_url
        self._token = token

    def query(self, document: str, variables: Json | None = None, *, total: float = TOTAL) -> Json:
        """Ask for something; asked again within `total` seconds where that may help.

        Returns:
            The answer's `data`.

        Raises:
            SaleorUnavailable: No answer in time, or Saleor is too busy.
            SaleorRefused: The token is not good, or the question is wrong.
        """
        ends = time.monotonic() + total

        def worth_waiting(error: Exception) -> float | bool:
            if not isinstance(error, SaleorUnavailable):
                return False
            wait = error.retry_after
            if wait is None:
                return True
            return wait if time.monotonic() + wait < ends else False

        for attempt in stamina.retry_context(
            on=worth_waiting, attempts=3, timeout=total, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                return self._ask(document, variables, max(0.5, ends - time.monotonic()))
        raise SaleorUnavailable  # pragma: no cover - the loop returns or raises

    def mutate(self, document: str, variables: Json | None = None, *, total: float = TOTAL) -> Json:
        """Change something; asked once, since twice might change it twice.

        Raises:
            SaleorUncertain: Nobody knows whether it was done.
            SaleorUnavailable: It was certainly not done.
            SaleorRefused: Saleor does not do it.
        """
        return self._ask(document, variables, total)

    def pages(
        self, document: str, path: Sequence[str], variables: Json | None = None
    ) -> Iterator[Json]:
        """Walk a connection, page by page.

        Args:
            document: A query with `$first` and `$after` that asks for `pageInfo`.
            path: Where the connection stands in the answer.
            variables: Further variables.

        Yields:
            Each node.
        """
        after: str | None = None
        for _turn in range(MAX_PAGES):
            found: Any = self.query(document, {**(variables or {}), "first": PAGE, "after": after})
            for part in path:
                found = (found or {}).get(part)
            for edge in (found or {}).get("edges") or ():
                yield edge["node"]
            info = (found or {}).get("pageInfo") or {}
            after = info.get("endCursor")
            if not info.get("hasNextPage") or not after:
                return

    def _ask(self, document: str, variables: Json | None, total: float) -> Json:
        body = json.dumps({"query": document, "variables": dict(variables or {})}).encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token}",
        }
        return _data(request("POST", self.api_url, body=body, headers=headers, total=total))


class AsyncSaleorClient:
    """The same for async code: each call waits in a thread of its own."""

    def __init__(self, api_url: str, token: str) -> None:
        self._twin = SaleorClient(api_url, token)

    async def query(self, document: str, variables: Json | None = None) -> Json:
        """See `SaleorClient.query`."""
        return await asyncio.to_thread(self._twin.query, document, variables)

    async def mutate(self, document: str, variables: Json | None = None) -> Json:
        """See `SaleorClient.mutate`."""
        return await asyncio.to_thread(self._twin.mutate, document, variables)


def _data(reply: Reply) -> Json:
    if reply.fate is Fate.NEVER_LEFT and reply.status == 401:
        raise SaleorRefused(
            "Saleor does not know the token. Install the app in its dashboard again."
        )
    if reply.fate is Fate.NEVER_LEFT:
        raise SaleorUnavailable(reply.detail, retry_after=reply.retry_after)
    if reply.fate is Fate.AMBIGUOUS:
        raise SaleorUncertain(reply.detail, retry_after=reply.retry_after)
    # GraphQL's faults come with 400 as well as with 200.
    answer = _parsed(reply)
    if reply.fate is Fate.REFUSED and not answer.get("errors"):
        raise SaleorRefused(reply.detail)
    if answer.get("errors"):
        raise SaleorRefused(_words(answer["errors"]))
    data = answer.get("data")
    if not isinstance(data, Mapping):
        raise SaleorRefused("Saleor's answer has no data.")
    return data


def _parsed(reply: Reply) -> Json:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if isinstance(answer, Mapping):
        return answer
    if reply.fate is Fate.REFUSED:
        return {}
    raise SaleorUncertain("Saleor's answer is no JSON, or was cut.")


def _words(errors: Any) -> str:
    found = [
        str(one.get("message")) for one in errors if isinstance(one, Mapping) and one.get("message")
    ]
    return f"Saleor says: {'; '.join(found) or 'no'}"[:300]


def refused(part: Any, key: str = "errors") -> None:
    """Raise where a mutation answered with errors of its own.

    Raises:
        SaleorRefused: It did; the message has Saleor's words.
    """
    if (part or {}).get(key):
        raise SaleorRefused(_words(part[key]))


def client_of(instance: Instance) -> SaleorClient:
    """The client of an instance that has installed us.

    Raises:
        NotInstalled: The app was removed there.
        ConfigurationError: Its token cannot be decrypted.
    """
    if not instance.token:
        raise NotInstalled(
            f"{instance.domain} has removed the app. Install it from its manifest again: "
            "manage.py triggers_saleor manifest."
        )
    return SaleorClient(instance.api_url, unseal(instance.token))


def installed(api_url: str = "") -> Instance:
    """The instance of this address; without one, the only instance that the setting names.

    Raises:
        NotInstalled: It is not installed, or nobody said which.
    """
    if not api_url:
        known = list(configuration().instances)
        if len(known) != 1:
            raise NotInstalled(
                f"There are {len(known)} Saleor instances in the settings. Say which by its "
                "GraphQL address."
            )
        api_url = known[0]
    found = Instance.objects.filter(api_url=api_url, removed_at=None).first()
    if found is None:
        raise NotInstalled(
            f"{api_url} has not installed the app. Run manage.py triggers_saleor manifest and "
            "give its address to Saleor's dashboard."
        )
    return found


def app_id(api_url: str, token: str, ask: Callable[..., Json] | None = None) -> str | None:
    """The id that Saleor gives to the app of this token; None where it has none.

    Raises:
        SaleorUnavailable: Saleor did not answer.
    """
    try:
        found = (ask or SaleorClient(api_url, token).query)("query { app { id } }")
    except SaleorRefused:
        return None
    return (found.get("app") or {}).get("id") or None
