"""Send: plan one message from a template."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from ..durations import Duration
from ..problems import Problem, did_you_mean
from .base import Run, Step, StepSettings, Surroundings
from .decisions import Decision, Send
from .registry import register_step


class SendSettings(StepSettings):
    """`template` is a translation key; `expires_after` null takes the template's own default."""

    template: Annotated[str, Field(min_length=1, max_length=100)]
    channel: Annotated[str, Field(min_length=1, max_length=32)] = "email"
    expires_after: Duration | None = None


@register_step
class SendStep(Step[SendSettings]):
    """Plans a message and goes on without waiting for it to be delivered."""

    identifier = "send"
    label = _("Send a message")
    description = _("Writes to the person, in their language, if they agreed to it.")
    icon = "mail"
    reads = frozenset()
    Settings = SendSettings
    sends = True

    def decide(self, run: Run) -> Decision:
        """Plan the message."""
        expires = self.settings.expires_after
        return Send(
            template=self.settings.template,
            channel=self.settings.channel,
            expires_after=expires.span() if expires else None,
        )

    def describe(self, surroundings: Surroundings) -> str:
        """Return "Send “Welcome”"."""
        template = self.settings.template
        known = surroundings.template_exists(template)
        name = surroundings.template_label(template) if known else template
        if self.settings.expires_after is None:
            return _t("Send “%(template)s”") % {"template": name}
        return _t("Send “%(template)s”, within %(time)s or not at all") % {
            "template": name,
            "time": self.settings.expires_after.describe(),
        }

    def problems(self, surroundings: Surroundings, triggers: frozenset[str]) -> Iterable[Problem]:
        """Yield a template that does not exist or is silent, and a channel that is not set up."""
        channels = surroundings.channels()
        if self.settings.channel not in channels:
            message = _t("There is no channel “%(name)s”.") % {"name": self.settings.channel}
            hint = did_you_mean(self.settings.channel, channels)
            yield Problem("", "channel", message + hint)
        if not surroundings.template_exists(self.settings.template):
            message = _t(
                "There is no published template “%(key)s”. Publish it, or choose another one."
            )
            yield Problem("", "template", message % {"key": self.settings.template})
            return
        missing = surroundings.lacks_languages(self.settings.template)
        if missing:
            message = _t(
                "This message is not there in every language of the site: %(languages)s is "
                "missing. Whoever reads that gets it in another language. Translate the template."
            )
            names = {"languages": ", ".join(missing)}
            yield Problem("", "template", message % names, "warning")
        silent = surroundings.lacks_text(self.settings.template, self.settings.channel)
        if silent and self.settings.channel in channels:
            message = _t(
                "The template “%(name)s” has no text for the channel “%(channel)s” (%(languages)s)."
                " Write it and publish the template, or choose another channel."
            )
            yield Problem(
                "",
                "channel",
                message
                % {
                    "name": surroundings.template_label(self.settings.template),
                    "channel": self.settings.channel,
                    "languages": ", ".join(silent),
                },
            )
