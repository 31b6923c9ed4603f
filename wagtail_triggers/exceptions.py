"""One tree of exceptions. The docstring of a class is its default message."""

from __future__ import annotations


class TriggersError(Exception):
    """wagtail_triggers could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))


class ConfigurationError(TriggersError):
    """A setting of wagtail_triggers is wrong. `manage.py check` names it and the fix."""


class RegistrationError(TriggersError):
    """Something was registered twice, or too late. Register once, in your app's `triggers.py`."""


class UnknownIdentifier(TriggersError, LookupError):
    """Nothing is registered under this identifier."""


class InvalidEvent(TriggersError, ValueError):
    """The event was not recorded: its name, contact or payload is wrong."""


class UnknownTopic(TriggersError, LookupError):
    """There is no topic with this slug. Create it in the admin under Triggers > Topics."""


class GraphError(TriggersError, ValueError):
    """The journey's graph cannot be read."""


class TemplateProblem(TriggersError, ValueError):
    """The template cannot be used as it is."""


class StaleClaim(TriggersError):
    """Somebody else has taken this work over since it was claimed. Nothing was written."""


class SwitchedOff(TriggersError):
    """The site is switched off, so nobody would move. Switch it on under Settings first."""


class InvalidTransfer(TriggersError, ValueError):
    """People cannot be moved like this."""


class BundleError(TriggersError, ValueError):
    """The file cannot be imported as it is. Nothing was changed."""
