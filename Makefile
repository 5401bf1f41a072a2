# The words of this project. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3.11
PY := .venv/bin/python
ARGS ?=
KILLS ?= 100
SEEDS ?= 200
CAMERAS ?= 33
SECONDS ?= 120

.PHONY: demo test check browser jobs bench faults simulate soak assets format clean

demo: .venv/product assets
	$(PY) -m shouwang.cli.main demo $(ARGS)

test: .venv/dev assets
	$(PY) -m pytest -n 2 -m "not browser" $(ARGS)
	SHOUWANG_TEST_POSTGRES=1 $(PY) -m pytest -n 2 -m "django_db and not browser" $(ARGS)

check: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --config .importlinter
	$(PY) -m shouwang.ui.lint

browser: .venv/dev assets
	$(PY) -m pytest -m browser $(ARGS)

jobs: .venv/dev assets
	$(PY) -m pytest -m jobs $(ARGS)

bench: .venv/bench $(if $(filter eligibility,$(NAME)),.venv/peers) $(if $(filter camera_vision soak,$(NAME)),.venv/vision)
	$(PY) -m bench $(NAME) $(ARGS)

faults: .venv/bench
	$(PY) -m bench faults --kills=$(KILLS) $(ARGS)

simulate: .venv/bench
	$(PY) -m bench simulate --seeds=$(SEEDS) $(ARGS)

soak: .venv/bench .venv/vision
	$(PY) -m bench soak --cameras=$(CAMERAS) --seconds=$(SECONDS) $(ARGS)

assets: shouwang/ui/static/ui/built/desk.js

shouwang/ui/static/ui/built/desk.js: package-lock.json scripts/build-assets.mjs $(wildcard shouwang/ui/js/*.js)
	$(PY) -m shouwang.ui.assets

.venv/product: requirements/product.txt
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/product.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

.venv/dev: requirements/dev.txt .venv/product
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	touch $@

.venv/bench: requirements/bench.txt .venv/dev
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	touch $@

# Copyleft peers live apart: they are run beside us and never imported.
.venv/peers: requirements/peers.txt
	$(PYTHON) -m venv .venv/peers
	.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/peers.txt

.venv/vision: requirements/vision.txt .venv/dev
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/vision.txt
	touch $@

format: .venv/dev
	.venv/bin/ruff check --fix-only .

clean:
	rm -rf .venv node_modules shouwang/ui/static/ui/built var
