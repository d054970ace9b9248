# make quickstart   install, train recipes/en-fr.yaml on the corpus that ships, translate, score
# make test         everything that must hold: format, lint, types, tests
# make check        the one-minute part of it, for daily work
# make system       only the tests that train through the commands
# make reference    write recipes/REFERENCE.md and recipes/recipe.schema.json anew
# make phrasebook   write data/phrasebook anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: quickstart test check system lint reference phrasebook clean

quickstart: $(INSTALLED)
	$(BIN)/seq2seq-train recipes/en-fr.yaml
	@printf 'Where is the station?\n\nI would like two tickets, please.\nI have not seen my passport.\nDo you have a quiet room?\n' > $(VENV)/quickstart.en
	$(BIN)/seq2seq-translate --model runs/en-fr --beam 5 < $(VENV)/quickstart.en

# torch first and by its exact version, so that the version pinned here is the one that everything else is checked against.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable .
	touch $@

$(INSTALLED_TEST): $(INSTALLED)
	$(PIP) --editable '.[test]'
	touch $@

lint: $(INSTALLED_TEST)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 2 --dist worksteal

check: lint
	$(BIN)/pytest -n 2 --dist worksteal -m 'not system'

system: $(INSTALLED_TEST)
	$(BIN)/pytest -m system

reference: $(INSTALLED)
	$(BIN)/python tools/make_reference.py

phrasebook:
	$(PYTHON) -m tools.phrasebook

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache *.egg-info
