"""The signature, against the specification's own example."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from wagtail_triggers.core.endpoints import get_endpoint
from wagtail_triggers.core.standard_webhooks import headers, key_of
from wagtail_triggers.exceptions import ConfigurationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_signature_of_the_published_example_is_the_published_one() -> None:
    found = headers(
        [SECRET],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "hunter2", SECRET.removeprefix("whsec_"), "whsec_!!!!",
     "whsec_" + base64.b64encode(b"x" * 23).decode(),
     "whsec_" + base64.b64encode(b"x" * 65).decode()],
)  # fmt: skip
def test_secret_of_another_form_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 random bytes") as caught:
        key_of(secret)
    assert secret in ("", "whsec_") or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("https://erp.example/", "must be"),
        ({"URL": "", "SECRET": SECRET}, "must be"),
        ({"URL": "https://erp.example/", "SECRET": SECRET, "TIMEOUT": 3}, "must be"),
        ({"URL": "https://erp.example/"}, "unsigned calls are not made"),
        ({"URL": "https://erp.example/", "SECRET": "hunter2hunter2"}, "24 to 64 random bytes"),
        ({"URL": "https://erp.example/", "SECRET": [SECRET, 5]}, "no SECRET"),
        ({"URL": "http://erp.example/", "SECRET": SECRET}, "https"),
        ({"URL": "https://erp.example:22/", "SECRET": SECRET}, "443 or 8443"),
        ({"URL": "https://user@erp.example/", "SECRET": SECRET}, "user"),
        ({"URL": "ftp://erp.example/", "SECRET": SECRET}, "https"),
    ],
)
def test_endpoint_with_a_fault_is_refused_without_its_secret(
    settings: Settings, entry: object, words: str
) -> None:
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": entry}
    with pytest.raises(ConfigurationError, match=words) as caught:
        get_endpoint("erp")
    assert "hunter2hunter2" not in str(caught.value)
    assert "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" not in str(caught.value)


def test_endpoint_that_nobody_named_says_which_there_are(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_WEBHOOKS = {"erp": {"URL": "https://erp.example/", "SECRET": SECRET}}
    with pytest.raises(ConfigurationError, match=r"there is: erp"):
        get_endpoint("crm")
    assert get_endpoint("erp").secrets == (SECRET,)
