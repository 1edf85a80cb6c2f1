# `make help` lists what there is.
# Python 3.11 to 3.13: the newest on the PATH (scripts/find_python.sh), or what PYTHON names.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# What is SQL of ours rather than Python: models, macros, policies, rules, migrations.
ON_POSTGRES_15 := tests/access/test_escalation.py tests/access/test_audit.py \
  tests/sources/test_late_binding.py tests/sources/test_migrations.py

.PHONY: help install demo dagster check test test-long test-integrations lint style types sql layers docs bench evaluate clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make the virtual environment with the pinned packages; runs nothing

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || { python=$$(PYTHON="$(PYTHON)" sh scripts/find_python.sh) && sh scripts/make_venv.sh "$$python" "$(VENV)"; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install ## Start Postgres, write the demo salons, build every mart and say where to look
	@$(BIN)/agentp demo --run

dagster: install ## Open Dagster with the whole graph, its schedules and sensors (Ctrl-C ends it)
	@$(BIN)/agentp dev

check: install ## Check in a minute, before every commit: linters, types, the tests that need no server
	@$(MAKE) --no-print-directory --jobs 3 --output-sync style types $(VENV)/sql.stamp layers test-without-servers

test: install lint ## Check everything: linters, types, unit and data tests, properties, faults
	@sh scripts/get_browser.sh
	@$(BIN)/python -m pytest --numprocesses 2 --ignore tests/integrations

test-long: install ## Try every property on thousands of random examples (an hour)
	@$(BIN)/python -m pytest --numprocesses 2 --examples 3000 tests/properties tests/expectations tests/activation

test-integrations: install ## Test with what needs an environment of its own: another Postgres, another owner, a pooler
	@sh scripts/get_integrations.sh
	@$(BIN)/python -m pytest tests/integrations
	@sh scripts/run_on_postgres_15.sh $(BIN)/python -m pytest --examples 25 $(ON_POSTGRES_15)
	@sh scripts/run_on_postgres_15.sh $(BIN)/python -m pytest --examples 25 --owner createrole tests/access
	@$(BIN)/python -m pytest --numprocesses 2 --examples 25 --owner createrole tests/access

test-without-servers:
	@$(BIN)/python -m pytest --numprocesses 2 --without-servers --examples 10 --ignore tests/integrations

lint: install ## Check style, types and layers: ruff, mypy, sqlfluff, import-linter
	@$(MAKE) --no-print-directory style types sql layers

style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy

sql:
	@$(BIN)/sqlfluff lint --processes 2 dbt_project/models dbt_project/tests

# For `check`: what did not change since it was last looked at is not looked at again.
$(VENV)/sql.stamp: .sqlfluff $(shell find dbt_project -name '*.sql' -not -path '*/target/*')
	@$(MAKE) --no-print-directory sql
	@touch $@

layers:
	@$(BIN)/lint-imports --no-cache

docs: install ## Write the files of raw columns, docs/data_standard.md from the rules, docs/personal_columns.md from the marts' YAML
	@$(BIN)/python -m sources.declaration
	@$(BIN)/python -m expectations.documentation
	@$(BIN)/python -m access.documentation

bench: install ## Measure generation, load and builds against hand-written SQL (takes some minutes)
	@$(BIN)/python -m benchmarks

evaluate: install ## Measure the scores on real data: docs/evaluation.md and docs/calibration/ (some minutes)
	@$(BIN)/python -m scoring.evaluation

clean: ## Stop the embedded server and remove everything that was made, data included
	@if [ -x $(BIN)/agentp ]; then $(BIN)/agentp stop --remove || true; fi
	rm -rf $(VENV) .agentp
