"""The setting `WAGTAIL_TRIGGERS_SALEOR`, read and judged.

::

    WAGTAIL_TRIGGERS_SALEOR = {
        "INSTANCES": {
            "https://shop.saleor.cloud/graphql/": {
                "CHANNELS": ["default-channel"],
                "STOREFRONT": {
                    "CART": "https://shop.example/checkout?checkout={id}",
                    "ORDER": "https://shop.example/orders/{id}",
                    "PRODUCT": "https://shop.example/products/{slug}",
                },
            },
        },
        "KEYS": [os.environ["SALEOR_TOKEN_KEY"]],
    }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ...conf import settings
from ...exceptions import ConfigurationError

SETTING: Final = "WAGTAIL_TRIGGERS_SALEOR"
_KNOWN: Final = frozenset({"INSTANCES", "KEYS", "APP_ID", "NAME", "BASE_URL"})
_OF_INSTANCE: Final = frozenset({"SITE", "CHANNELS", "STOREFRONT", "WEBHOOK_SECRETS"})
_PAGES: Final = frozenset({"CART", "ORDER", "PRODUCT"})


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One Saleor that may install us.

    Attributes:
        api_url: Its GraphQL address, as `Saleor-Api-Url` has it. Its keys are fetched from the
            same host, never from where a request says.
        site: Wagtail's id of the site that it sells for; None for the default one.
        channels: Slugs of its channels whose events count; empty for all.
        pages: Addresses of the storefront by kind, with `{id}` or `{slug}` in them.
        secrets: Of webhooks that were made by hand with a secret key; newest first.
    """

    api_url: str
    site: int | None = None
    channels: tuple[str, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme and host."""
        parts = urlsplit(self.api_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def jwks_url(self) -> str:
        """Where its public keys are."""
        return f"{self.origin}/.well-known/jwks.json"

    @property
    def domain(self) -> str:
        """Host and port, as `Saleor-Domain` has them."""
        return urlsplit(self.api_url).netloc

    def page(self, kind: str, **parts: str) -> str:
        """The storefront's address of an object, or "" where the setting names none."""
        pattern = self.pages.get(kind, "")
        if not pattern or not all(parts.values()):
            return ""
        return pattern.format(**{name: quote(one, safe="") for name, one in parts.items()})


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole setting.

    Attributes:
        instances: By GraphQL address.
        keys: Fernet keys that encrypt tokens, newest first.
        app_id: The `id` of our manifest.
        name: What Saleor's dashboard calls us.
        base_url: Where Saleor reaches this project; without a trailing slash.
    """

    instances: Mapping[str, InstanceSettings]
    keys: tuple[str, ...]
    app_id: str
    name: str
    base_url: str

    def instance(self, api_url: str) -> InstanceSettings | None:
        """The instance of this address, or None where the setting does not name it."""
        return self.instances.get(_normal(api_url))


def configuration() -> Configuration:
    """Read the setting.

    Raises:
        ConfigurationError: Something in it is wrong; the message says what. No key is quoted.
    """
    given = settings.SALEOR
    unknown = set(given) - _KNOWN
    if unknown:
        raise ConfigurationError(
            f"{SETTING} has {', '.join(sorted(map(repr, unknown)))}; it may have "
            f"{', '.join(sorted(_KNOWN))}."
        )
    found = given.get("INSTANCES") or {}
    if not isinstance(found, Mapping):
        raise ConfigurationError(
            f'{SETTING}["INSTANCES"] must be a mapping of GraphQL addresses, such as '
            '{"https://shop.saleor.cloud/graphql/": {}}.'
        )
    instances = [_instance(str(url), entry) for url, entry in found.items()]
    return Configuration(
        instances={one.api_url: one for one in instances},
        keys=_texts(given.get("KEYS") or (), "KEYS"),
        app_id=str(given.get("APP_ID") or "wagtail-triggers"),
        name=str(given.get("NAME") or "Wagtail Triggers"),
        base_url=str(given.get("BASE_URL") or settings.base_url).rstrip("/"),
    )


def _instance(url: str, entry: Any) -> InstanceSettings:
    where = f'{SETTING}["INSTANCES"][{url!r}]'
    if not isinstance(entry, Mapping) or set(entry) - _OF_INSTANCE:
        raise ConfigurationError(
            f"{where} must be a mapping with nothing but {', '.join(sorted(_OF_INSTANCE))}."
        )
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise ConfigurationError(
            f"{where}: this is no address. Give Saleor's GraphQL address, such as "
            "https://shop.saleor.cloud/graphql/."
        )
    pages = entry.get("STOREFRONT") or {}
    if not isinstance(pages, Mapping) or set(pages) - _PAGES:
        raise ConfigurationError(
            f'{where}["STOREFRONT"] must be a mapping with nothing but {", ".join(sorted(_PAGES))}.'
        )
    for kind, pattern in pages.items():
        _try_pattern(str(pattern), f'{where}["STOREFRONT"][{kind!r}]')
    site: Any = entry.get("SITE")
    return InstanceSettings(
        api_url=_normal(url),
        site=None if site is None else int(getattr(site, "pk", site)),
        channels=_texts(entry.get("CHANNELS") or (), "CHANNELS"),
        pages={str(kind): str(pattern) for kind, pattern in pages.items()},
        secrets=_texts(entry.get("WEBHOOK_SECRETS") or (), "WEBHOOK_SECRETS"),
    )


def _try_pattern(pattern: str, where: str) -> None:
    try:
        pattern.format(id="1", slug="one")
    except (LookupError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"{where} is {pattern!r}: nothing but {{id}} and {{slug}} may stand in braces."
        ) from error


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(one, str) and one for one in value):
        raise ConfigurationError(f'{SETTING}: "{name}" must be a list of texts.')
    return tuple(value)


def _normal(url: str) -> str:
    """The address with a slash at its end, as Saleor sends it."""
    return url.strip().rstrip("/") + "/"
