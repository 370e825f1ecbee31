"""The settings: config.yaml, read into types; a bad key stops the start with file, line, key and a cure."""

from bot.config.connect import Connect, GoogleClient, MicrosoftClient
from bot.config.document import Document, Plan, load
from bot.config.keys import kinds_of, models_in
from bot.config.sections import Config, Crm, Listen, Notes, Running, Team
from bot.config.slack import Http, SalesTeam, Slack
from bot.config.text import Loader
from bot.config.values import NEVER_QUIET, address, channel, domain, zone

__all__ = [
    "NEVER_QUIET",
    "Config",
    "Connect",
    "Crm",
    "Document",
    "GoogleClient",
    "Http",
    "Listen",
    "Loader",
    "MicrosoftClient",
    "Notes",
    "Plan",
    "Running",
    "SalesTeam",
    "Slack",
    "Team",
    "address",
    "channel",
    "domain",
    "kinds_of",
    "load",
    "models_in",
    "zone",
]
