"""Where contacts come from: files and CRMs."""
