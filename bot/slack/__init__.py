"""Slack, where the reps live: cards, the outbox that posts them, and the buttons under them."""
