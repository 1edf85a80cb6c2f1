# `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo dagster test lint docs bench evaluate clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make the virtual environment with the pinned packages; runs nothing

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make install PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || sh scripts/make_venv.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install ## Start Postgres, write the demo salons, build every mart and say where to look
	@$(BIN)/agentp demo --run

dagster: install ## Open Dagster with the whole graph, its schedules and sensors (Ctrl-C ends it)
	@$(BIN)/agentp dev

test: install lint ## Check everything: linters, types, unit and data tests, properties, faults
	@sh scripts/get_browser.sh
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: install ## Check style and types: ruff, mypy, sqlfluff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests

docs: install ## Write docs/data_standard.md from the rules, docs/personal_columns.md from the marts' YAML
	@$(BIN)/python -m expectations.documentation
	@$(BIN)/python -m access.documentation

bench: install ## Measure generation, load and builds against hand-written SQL (takes some minutes)
	@$(BIN)/python -m benchmarks

evaluate: install ## Measure the scores on real data: docs/evaluation.md and docs/calibration/ (some minutes)
	@$(BIN)/python -m scoring.evaluation

clean: ## Stop the embedded server and remove everything that was made, data included
	@if [ -x $(BIN)/agentp ]; then $(BIN)/agentp stop --remove || true; fi
	rm -rf $(VENV) .agentp
