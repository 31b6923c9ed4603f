"""Every room's models, for Django's discovery only. Import them from their room instead."""

from .admin.models import SiteAccess
from .analytics.models import Rollup, RollupMark, StepNumber
from .consent.models import (
    ConsentEvent,
    FrequencyCap,
    LinkToken,
    QuietHours,
    SendLedger,
    Subscription,
    Suppression,
    Topic,
)
from .contacts.models import Contact, Erasure, Identity
from .engine.models import (
    BatchAttempt,
    Conversion,
    Enrolment,
    Job,
    Pulse,
    Refusal,
    StepRun,
    Sweep,
    Switch,
    Task,
    Transfer,
    TransferRule,
)
from .events.models import Cart, Event, MappingFault, Order, OrderLine
from .experiments.models import Assignment
from .journeys.models import Journey, JourneyVersion, Standing
from .messages.models import (
    Circuit,
    Message,
    MessageEvent,
    RateBucket,
    Template,
    TemplateVersion,
    Trial,
    TriggersSettings,
)
from .rest.models import ApiToken

__all__ = [
    "ApiToken",
    "Assignment",
    "BatchAttempt",
    "Cart",
    "Circuit",
    "ConsentEvent",
    "Contact",
    "Conversion",
    "Enrolment",
    "Erasure",
    "Event",
    "FrequencyCap",
    "Identity",
    "Job",
    "Journey",
    "JourneyVersion",
    "LinkToken",
    "MappingFault",
    "Message",
    "MessageEvent",
    "Order",
    "OrderLine",
    "Pulse",
    "QuietHours",
    "RateBucket",
    "Refusal",
    "Rollup",
    "RollupMark",
    "SendLedger",
    "SiteAccess",
    "Standing",
    "StepNumber",
    "StepRun",
    "Subscription",
    "Suppression",
    "Sweep",
    "Switch",
    "Task",
    "Template",
    "TemplateVersion",
    "Topic",
    "Transfer",
    "TransferRule",
    "Trial",
    "TriggersSettings",
]
