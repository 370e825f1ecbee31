"""Run the program with constants of its modules that are shorter: NAME=SECONDS ..., --, its arguments."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib import import_module

from bot.cli import main

cut = sys.argv.index("--")
for given in sys.argv[1:cut]:
    name, _, seconds = given.partition("=")
    module, _, constant = name.rpartition(".")
    where = import_module(module)
    is_span = isinstance(getattr(where, constant), timedelta)
    setattr(where, constant, timedelta(seconds=float(seconds)) if is_span else float(seconds))
del sys.argv[1 : cut + 1]
main(prog_name="stillthere")
