# Two commands: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) shop/up/bootstrap.py
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check pins

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the shop with its stores (PORT=8000 DATA_DIR=.data)
	@$(BOOTSTRAP) run
	@exec $(BIN)/python -m shop.up run

test: ## run the whole suite on stores of its own (ARGS="flashsale -x")
	@$(BOOTSTRAP) dev
	@exec $(BIN)/python -m pytest $(ARGS)

check: ## format, lint, types, migrations, deployment settings
	@$(BOOTSTRAP) dev
	@exec $(BIN)/python -m shop.up check

pins: ## make the hashed requirements*.txt from requirements*.in
	@$(BOOTSTRAP) dev
	@exec $(BIN)/python -m shop.up pins
