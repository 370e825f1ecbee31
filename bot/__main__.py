"""Let `python -m bot` do what the console command does."""

from bot.cli import main

main(prog_name="stillthere")
