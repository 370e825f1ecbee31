"""Set Stillthere up: ask what is needed, try each answer, and write config.yaml with secrets beside it."""
