"""One command a file: a module here is a command of that name, its attribute `command` what runs."""
