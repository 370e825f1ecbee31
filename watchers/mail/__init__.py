"""Mail: where it comes from (files, IMAP, ...) and its bounded, pure parsing."""
