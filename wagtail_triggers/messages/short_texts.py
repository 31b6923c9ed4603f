"""How long a text may be where people see it: SMS parts, push notifications, subject lines.

Pure: a text in, figures and warnings out. The SMS alphabet is that of GSM 03.38 (3GPP TS 23.038,
6.2.1): 128 characters of 7 bits, and 10 that take two places. One other character makes the whole
message UCS-2, of 16 bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: The basic table in the order of its codes, 0x1B (escape) left out.
GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: The extension table: an escape, then a code.
GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_GSM_ONE, _GSM_EACH = 160, 153
_UCS_ONE, _UCS_EACH = 70, 67
#: What lock screens show of a notification before they cut it.
PUSH_TITLE_SHOWN: Final = 50
PUSH_BODY_SHOWN: Final = 150
#: What push services take at most, encrypted: 4 kB with everything.
PUSH_BODY_MOST: Final = 2_000
#: What Gmail on a computer and mail programs on a phone show of a subject.
SUBJECT_GMAIL: Final = 70
SUBJECT_PHONE: Final = 40
#: Subject and preview text share a line of this length on a computer.
PREVIEW_SHOWN: Final = 100
_FALSE_ANSWER: Final = re.compile(r"\s*(?:re|fwd?|aw|wg|tr|rif|отв)\s*:", re.IGNORECASE)
_FEW_LETTERS: Final = 8


@dataclass(frozen=True, slots=True)
class SmsLength:
    """How a text is sent by SMS.

    Attributes:
        encoding: "GSM-7" or "UCS-2".
        units: Places that it takes: septets, or 16-bit units.
        parts: Messages that are paid for.
        left: Places that are left in the last part.
        strange: The characters that make it UCS-2, each once, in the order of the text.
    """

    encoding: str
    units: int
    parts: int
    left: int
    strange: tuple[str, ...] = ()


def sms_length(text: str) -> SmsLength:
    """Measure a text for SMS.

    A character of two places is never cut in two: where one place is left in a part, the character
    begins the next one, and the place stays empty.
    """
    strange = tuple(dict.fromkeys(c for c in text if c not in GSM_BASIC | GSM_EXTENSION))
    if strange:
        # Half an emoji is no character: UTF-16 pairs stay together, as escapes do.
        widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
        one, each, encoding = _UCS_ONE, _UCS_EACH, "UCS-2"
    else:
        widths = [2 if c in GSM_EXTENSION else 1 for c in text]
        one, each, encoding = _GSM_ONE, _GSM_EACH, "GSM-7"
    units = sum(widths)
    if units <= one:
        return SmsLength(encoding, units, 1 if units else 0, one - units, strange)
    parts, room = 1, each
    for width in widths:
        if width > room:
            parts, room = parts + 1, each
        room -= width
    return SmsLength(encoding, units, parts, room, strange)


@dataclass(frozen=True, slots=True)
class Measure:
    """What an editor is told of a text's length.

    Attributes:
        words: One line.
        warnings: What to change, each a sentence.
        shown: The text as the recipient reads it, with sample values.
    """

    words: str
    warnings: tuple[str, ...] = ()
    shown: str = ""


def measure_sms(text: str) -> Measure:
    """Parts and alphabet of an SMS."""
    length = sms_length(text)
    words = ngettext(
        "%(count)d part, %(units)d characters (%(encoding)s), %(left)d left",
        "%(count)d parts, %(units)d characters (%(encoding)s), %(left)d left",
        length.parts,
    ) % {
        "count": length.parts,
        "units": length.units,
        "encoding": length.encoding,
        "left": length.left,
    }
    warnings = []
    if length.strange and length.parts > 1:
        named = " ".join(length.strange[:8])
        warnings.append(
            _(
                "%(characters)s cannot be written in the alphabet of SMS, so that a part holds 67 "
                "characters instead of 153."
            )
            % {"characters": named}
        )
    if length.parts > 6:
        warnings.append(_("Many networks do not deliver more than six parts. Shorten it."))
    return Measure(words, tuple(warnings), text)


def measure_push_title(text: str) -> Measure:
    """What a lock screen shows of a title."""
    return _cut_at(text, PUSH_TITLE_SHOWN, _("a phone shows about %(count)d"))


def measure_push_body(text: str) -> Measure:
    """What a lock screen shows of a notification, and what push services take."""
    measured = _cut_at(text, PUSH_BODY_SHOWN, _("a phone shows about %(count)d"))
    if len(text.encode()) <= PUSH_BODY_MOST:
        return measured
    refused = _("Push services refuse more than %(count)d bytes. Shorten it.")
    return Measure(measured.words, (refused % {"count": PUSH_BODY_MOST},), text)


def measure_preheader(text: str) -> Measure:
    """What stands beside the subject in an inbox."""
    return _cut_at(text, PREVIEW_SHOWN, _("inboxes show up to about %(count)d"))


def measure_subject(text: str) -> Measure:
    """Where inboxes cut a subject, and what makes people and filters distrust it."""
    words = _characters(len(text)) + "; "
    words += _("Gmail on a computer shows about %(gmail)d, a phone about %(phone)d") % {
        "gmail": SUBJECT_GMAIL,
        "phone": SUBJECT_PHONE,
    }
    warnings = []
    if len(text) > SUBJECT_GMAIL:
        cut = _("It will be cut: “%(start)s…”. Put what matters first, or shorten it.")
        warnings.append(cut % {"start": text[:SUBJECT_PHONE].rstrip()})
    letters = [c for c in text if c.upper() != c.lower()]
    if len(letters) >= _FEW_LETTERS and all(c == c.upper() for c in letters):
        warnings.append(_("It is all capitals, which reads as shouting and as spam."))
    if _FALSE_ANSWER.match(text):
        warnings.append(
            _("It looks like an answer or a forwarded mail. In many countries that is unlawful.")
        )
    if re.search("[!?\uff01\uff1f]{3}", text):
        warnings.append(_("Three exclamation or question marks in a row look like spam."))
    return Measure(words, tuple(warnings), text)


def _characters(count: int) -> str:
    return ngettext("%(count)d character", "%(count)d characters", count) % {"count": count}


def _cut_at(text: str, shown: int, rule: str) -> Measure:
    words = f"{_characters(len(text))}; {rule % {'count': shown}}"
    if len(text) <= shown:
        return Measure(words, (), text)
    cut = _("It will be cut: “%(start)s…”.") % {"start": text[:shown].rstrip()}
    return Measure(words, (cut,), text)


#: By the template's field.
MEASURES: Final = {
    "subject": measure_subject,
    "preheader": measure_preheader,
    "sms_body": measure_sms,
    "push_title": measure_push_title,
    "push_body": measure_push_body,
}
