# Everything is set up from the lock file into .venv; only Python >= 3.11 and make are needed.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
SYNC := UV_SYSTEM_CERTS=1 VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(VENV)/bin/uv sync --active --locked --inexact --quiet

# Whoever forbids Python to keep what it compiled lets each of the hundreds of processes of the tests compile it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint unit audit docs format clean help

help:
	@echo "make demo    set up and play the story of a champion who slips away"
	@echo "make test    set up, check style, types and import rules, and run all tests"
	@echo "make lint    style, types and import rules only"
	@echo "make unit    tests only"
	@echo "make audit   look for known weaknesses of dependencies; needs the network"
	@echo "make docs    build the documentation into site/"
	@echo "make format  format the code"
	@echo "make clean   remove what was set up"

demo: $(VENV)/.ready-to-run
	@$(RUN)/stillthere demo

test: lint unit

lint: $(VENV)/.ready-to-test
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

unit: $(VENV)/.ready-to-test
	$(RUN)/pytest -n 2 --dist loadgroup

audit: $(VENV)/.ready-to-test
	UV_SYSTEM_CERTS=1 $(RUN)/uv export --quiet --locked --no-dev --extra postgres --no-emit-project --output-file .requirements.txt
	UV_SYSTEM_CERTS=1 $(RUN)/uvx pip-audit --requirement .requirements.txt --require-hashes --disable-pip --strict; found=$$?; rm -f .requirements.txt; exit $$found

docs: $(VENV)/.ready-to-test
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build --strict

format: $(VENV)/.ready-to-test
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Stillthere needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "Setting up, once: about half a minute ..."
	@$(PYTHON) -m venv $(VENV) && $(VENV)/bin/pip install --quiet --disable-pip-version-check "uv>=0.8,<1"

$(VENV)/.ready-to-run: pyproject.toml uv.lock | $(VENV)/bin/uv
	@$(SYNC) --no-dev
	@touch $@

$(VENV)/.ready-to-test: pyproject.toml uv.lock | $(VENV)/bin/uv
	@$(SYNC)
	@touch $@ $(VENV)/.ready-to-run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
