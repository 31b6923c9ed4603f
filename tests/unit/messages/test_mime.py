"""The bytes that we build are the mail that the standard library reads."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.headers import HeaderProblem
from wagtail_triggers.messages.mime import build_mail


def outgoing(**changed: object) -> Outgoing:
    given: dict[str, object] = {
        "address": "ann@example.com",
        "name": "Ann",
        "subject": "Hello",
        "html": "<p>Hi</p>",
        "text": "Hi",
        "from_email": "Shop <shop@example.com>",
        "message_id": "<1@example.com>",
        "idempotency_key": "1",
        **changed,
    }
    return Outgoing(**given)  # type: ignore[arg-type]  # each test changes one


def read(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        assert all(not getattr(value, "defects", ()) for value in part.values())
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return content_of(text), content_of(html)


def content_of(part: Message) -> str:
    assert isinstance(part, EmailMessage)
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_mail_has_every_header_once() -> None:
    message = read(
        build_mail(
            outgoing(
                reply_to="Help <help@example.com>",
                headers=(("List-Unsubscribe", "<https://a.example/>"),),
            )
        )
    )
    assert sorted(name for name, _ in message.items()) == [
        "Content-Type", "Date", "From", "List-Unsubscribe", "MIME-Version", "Message-ID",
        "Reply-To", "Subject", "To", "X-WT-Id",
    ]  # fmt: skip
    assert message["From"] == "Shop <shop@example.com>"
    assert message["To"] == "Ann <ann@example.com>"
    assert message["Reply-To"] == "Help <help@example.com>"
    assert message["Message-ID"] == "<1@example.com>"
    assert message["X-WT-Id"] == "1"
    assert message.get_content_type() == "multipart/alternative"


CONTENTS = [
    "",
    "plain",
    "one\ntwo\n",
    "one\r\ntwo\r\n",
    "one\rtwo",
    "\n\n\n",
    "ends with a space \nand a tab\t\n",
    ".\n..\n.a dot\n..two",
    "From here\n>From there\nFrom",
    "equals = sign =20 =\n=",
    "--=_wt_boundary\n--",
    "x" * 5000,
    "word " * 2000,
    "ä" * 3000,
    "Ваш заказ уже в пути\n" * 50,
    "您的购物车里还有商品在等着您\n" * 50,
    "👩‍🚀👋🏽 emoji at the end of a long line " * 40,
    "mixed ascii text with a few ümläuts in it, as German mails are\n" * 30,
    "tab\there and \u00a0 no-break \u200d joiner \u2028 separator",
    "null \x00 and bell \x07",
]


@pytest.mark.parametrize("content", CONTENTS, ids=[f"{i}" for i in range(len(CONTENTS))])
def test_bodies_read_back_as_they_were(content: str) -> None:
    data = build_mail(outgoing(text=content, html=f"<p>{content}</p>"))
    expected = content.replace("\r\n", "\n").replace("\r", "\n")
    assert bodies(read(data)) == (expected, f"<p>{expected}</p>")


@pytest.mark.parametrize("content", CONTENTS, ids=[f"{i}" for i in range(len(CONTENTS))])
def test_lines_end_in_crlf_and_are_short(content: str) -> None:
    data = build_mail(outgoing(text=content, html=content))
    assert data.isascii()
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 78


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_reads_back(content: str) -> None:
    expected = content.replace("\r\n", "\n").replace("\r", "\n")
    text, html = bodies(read(build_mail(outgoing(text=content, html=f"{content}<br>"))))
    # The parser itself takes more characters than CR and LF for line ends.
    assert text.splitlines() == expected.splitlines()
    assert html.splitlines() == f"{expected}<br>".splitlines()


def test_mail_without_html_has_one_part() -> None:
    message = read(build_mail(outgoing(html="")))
    assert message.get_content_type() == "text/plain"
    assert content_of(message) == "Hi\n"


def test_same_message_has_the_same_bytes_but_for_its_date() -> None:
    def without_date() -> list[bytes]:
        lines = build_mail(outgoing()).split(b"\r\n")
        return [line for line in lines if not line.startswith(b"Date: ")]

    assert without_date() == without_date()


def test_russian_subject_and_name_read_back() -> None:
    message = read(build_mail(outgoing(subject="Ваш заказ 👋 " * 10, name="Ольга, Ltd.")))
    assert message["Subject"] == ("Ваш заказ 👋 " * 10).rstrip()
    assert message["To"].addresses[0].display_name == "Ольга, Ltd."


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "ann@example.com\r\nBcc: x@evil.example"},
        {"address": "ann@example.com>\r\nRCPT TO:<x@evil.example"},
        {"address": "ann@example.com, x@evil.example"},
        {"from_email": "Shop\r\nBcc: x@evil.example <shop@example.com>"},
        {"reply_to": "a@b.example\nX: y"},
        {"message_id": "<1@example.com>\r\nBcc: x@evil.example"},
        {"message_id": "1"},
        {"idempotency_key": "1\r\nBcc: x@evil.example"},
        {"headers": (("Bcc", "x@evil.example"),)},
        {"headers": (("List-Id", "a\r\nBcc: x@evil.example"),)},
    ],
)
def test_mail_with_an_injected_header_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(HeaderProblem):
        build_mail(outgoing(**changed))


@pytest.mark.parametrize("where", ["subject", "name"])
def test_line_break_in_a_free_text_header_adds_no_header(where: str) -> None:
    # `render` has cleaned a subject long before; a name comes straight from a customer.
    injected = "Ann\r\nBcc: x@evil.example"
    if where == "name":
        message = read(build_mail(outgoing(name=injected)))
        assert message["Bcc"] is None
        assert message["To"].addresses[0].display_name == "Ann Bcc: x@evil.example"
    else:
        with pytest.raises(HeaderProblem):
            build_mail(outgoing(subject=injected))
