PYTHON ?= python3
BIN := .venv/bin
OMP := OMP_NUM_THREADS=1

.PHONY: study test test-slow lint

study: .venv/installed
	@$(BIN)/aia-study launch quick

test: lint
	$(OMP) $(BIN)/pytest

test-slow: .venv/installed-dev
	$(OMP) $(BIN)/pytest -m slow

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/installed
