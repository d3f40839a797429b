# Joint. A fresh machine needs Python 3.11 and make; everything else comes from the lock files.
# `make` alone lists what can be done.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --strip-extras --allow-unsafe

.DEFAULT_GOAL := help
.PHONY: help install demo campaign up down status check .check-code .check-units test .test-parts .test-system .test-faults soak bench profile mutations simulate
.PHONY: calendar documents format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Create .venv from the hashed lock files and fetch Kafka

# Only the lock files decide: --no-build-isolation takes setuptools from them too. Setuptools warns of every editable
# installation; we mean it.
$(STAMP): requirements.lock requirements-dev.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m deploy.embedded.install
	@touch $@

demo: install ## Start everything, run the campaign with a live view, stay up
	$(BIN)/joint demo

campaign: install ## Run the campaign and compare every figure (PLAN=file for another plan)
	$(BIN)/joint campaign $(if $(PLAN),--plan $(PLAN))

up: install ## Start Kafka, PostgreSQL and the services
	$(BIN)/joint up

down: install ## Stop them
	$(BIN)/joint down

status: install ## Show what runs, with lag, rate and memory
	$(BIN)/joint status

check: install ## Format, lint, types, import rules, unit tests: about a minute
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target .check-units .check-code

.check-code:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.check-units:
	$(BIN)/pytest -n auto tests/unit

# The three parts take about the same time.
WHOLE_SYSTEMS := tests/integration/test_embedded.py tests/integration/test_supervisor.py
# Kafka lives for minutes here: what its second compiler would earn later costs the tests more.
test: export JDK_JAVA_OPTIONS := -XX:TieredStopAtLevel=1
test: check ## check, then everything that needs the real servers, in three parts side by side
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target .test-parts .test-system .test-faults

.test-parts:
	$(BIN)/pytest -o cache_dir=.pytest_cache/parts tests/integration $(WHOLE_SYSTEMS:%=--ignore %)

.test-system:
	$(BIN)/pytest -o cache_dir=.pytest_cache/system tests/system $(WHOLE_SYSTEMS) tests/contract

.test-faults:
	$(BIN)/pytest -o cache_dir=.pytest_cache/faults tests/reliability

mutations: install ## Take each guarantee out of the code and see its tests fail: some minutes
	$(BIN)/python -m tests.reliability.mutations

soak: install ## Kill, freeze and take away at random under load, then check everything (MINUTES=60, SEED=n, RATE=1)
	$(BIN)/python -m tests.reliability.soak --minutes $(or $(MINUTES),60) --rate $(or $(RATE),1) $(if $(SEED),--seed $(SEED))

bench: install ## Measure beside a naive implementation (PARTS=stage …, QUICK=1)
	$(BIN)/python -m tests.bench $(PARTS) $(if $(QUICK),--quick)

profile: install ## Show where the time goes in the stage and in HTTP intake
	$(BIN)/python -m tests.bench profile $(if $(QUICK),--quick)

simulate: install ## Run the ledger in a simulator (SEEDS=from-to), tell what breaks
	$(BIN)/python -m tests.reliability.simulator $(if $(SEEDS),--seeds $(SEEDS))

calendar: install ## Write the seed's days again from the installed chinesecalendar
	$(BIN)/python -m tests.support.calendar_file

docs: install ## Write the pages of docs/ that are made from the code
	$(BIN)/python -m deploy.docs

format: install ## Format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Make the lock files again from pyproject.toml
	$(COMPILE) --extra embedded -o requirements.lock pyproject.toml
	$(COMPILE) -c requirements.lock -o requirements-services.lock pyproject.toml
	$(COMPILE) --extra embedded --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## Stop the system; remove .venv, its data (.joint) and all caches
	@if [ -x $(BIN)/joint ]; then $(BIN)/joint down || true; fi
	rm -rf .venv .joint node_modules build dist *.egg-info
	rm -rf .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
