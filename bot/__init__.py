"""Stillthere: know that your champion is leaving while there is still time."""

__version__ = "0.1.0"
