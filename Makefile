# Two commands, each doing all the set-up it needs:
#   make demo   the screen with the default run started (without a terminal: trains and prints)
#   make test   linter, type checker and every test
# On a machine whose python3 is older than 3.11: make PYTHON=python3.12 demo

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A virtual environment whose Python has gone is made anew.
$(shell test -x $(VENV)/bin/python || rm -f $(VENV)/.installed*)

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check snapshots picture clean

demo: $(VENV)/.installed
	@$(BIN)/epochtop demo

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.installed-dev build/types/epochtop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The screen as text in every state, written anew; `git diff` then shows what has changed on it.
snapshots: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q tests/tui/test_snapshots.py --snapshot-update

# The README's pictures, drawn by the app itself from real runs.
picture: $(VENV)/.installed-dev
	$(BIN)/python docs/draw_screen.py docs

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'epochtop needs Python 3.11 or later; $(PYTHON) is not. Try: make PYTHON=python3.12' >&2; \
	  exit 1; }
	@echo 'Installing epochtop into $(VENV); torch is large, this may take a few minutes.'
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo 'Installing the tools that the tests need.'
	@$(PIP) -e '.[dev]'
	@touch $@

# mypy cannot follow an editable install of a package that lies in another folder than its
# name says, so it is shown the two packages under the names that users import.
build/types/epochtop:
	@mkdir -p $@
	@ln -sfn ../../../core $@/core
	@ln -sfn ../../../tui $@/tui
