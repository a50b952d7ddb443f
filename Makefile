PYTHON ?= python3
BIN := .venv/bin
# One thread in each of two processes; cached bytecode, as the tests start many further processes.
TEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

.PHONY: study test test-browser lint

study: .venv/installed
	@$(BIN)/aia-study launch quick

test: .venv/installed-dev
	$(TEST) $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
	@echo "not run: the browser tests of the report (make test-browser; they need chromium and chromedriver)"

test-browser: .venv/installed-dev
	$(TEST) $(BIN)/pytest -m browser tests/browser

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

.venv/installed: pyproject.toml
	@echo "installing into .venv: about two minutes"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: pyproject.toml
	@echo "installing into .venv, with the development tools: about two minutes"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/installed
