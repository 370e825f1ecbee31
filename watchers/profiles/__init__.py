"""Read what a person's own profile, or a provider's record, says of where they work."""
