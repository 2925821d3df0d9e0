# Everything a fresh machine needs. `make` alone lists the targets.
#
#   make demo                                    environment in .venv, made when it is missing
#   make demo PYTHON=/path/python3 [WHEELS=dir]  an interpreter that has torch; with WHEELS nothing is downloaded
#   make test|gpu-test [PYTHON=...] [WHEELS=...] [ARGS="-k name"]
#   make corpus [ARGS="--full"]                  hacks and honest candidates through the audit: the confusion table
#   make fuzz [ARGS="--seed 3"]                  10,000 random messages to the language server
#   make lint
#   make vsix [VSIX_FOR=linux-arm64]             the VS Code extension with the server in it (needs Node 20 and npm)
#   make editor-test                             from save to applied edit in a real VS Code; pictures in docs/images
#   make editors-test                            from open to applied edit in the Neovim and Emacs that are installed
#
# PY: the interpreter that .venv is made with. TORCH: what pip installs as torch, options included.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# outpace measures in $VIRTUAL_ENV where there is one: here it is always the environment of this Makefile.
unexport VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

PY ?=
PYTHON ?=
WHEELS ?=
ARGS ?=
JOBS ?= 4
GPU := $(shell command -v nvidia-smi)
EXAMPLE ?= examples/attention.py
# No trial starts later than this. On a GPU attention is a little faster at most: the second trial has to have its turn.
BUDGET ?= $(if $(GPU),90s,30s)

# A local version such as 2.13.0+cpu satisfies ==2.13.0 and outranks the plain one: an index or wheel folder that has
# the CPU build gives that. On PyPI itself it is the CUDA build, larger and as good. With a GPU: the newest.
TORCH ?= $(if $(GPU),torch,torch==2.13.0)

# What `make test` needs of the `dev` extra: the linters stay out of a borrowed interpreter's environment.
TEST_TOOLS := hatchling hypothesis pytest pytest-lsp pytest-timeout pytest-xdist scipy

ifeq ($(PYTHON),)
ENV := .venv
INSTALLED := .venv/.stamp-installed
TESTABLE := .venv/.stamp-dev
MEASURED = $(CURDIR)/.venv/bin/python
else
ENV := .venv-demo
INSTALLED := .venv-demo/.stamp-installed
TESTABLE := .venv-demo/.stamp-test
# The user's interpreter, by its full name: the judge starts in another folder.
MEASURED = $$(head -1 .venv-demo/.key)
endif

# The platform of `make vsix`: linux-x64 or linux-arm64.
VSIX_FOR ?= linux-x64

.PHONY: help demo test gpu-test corpus fuzz lint dev settings vsix editor-test test-editor editors-test FORCE

help:
	@sed -n 's/^#   //p' Makefile

demo: $(INSTALLED)
	@$(ENV)/bin/outpace optimize $(EXAMPLE) --budget $(BUDGET) --python "$(MEASURED)"

# First the tests whose outcome does not hang on time, side by side. More of those than cores: many wait for what they
# started. worksteal keeps the tests of a file together, so that what they share is made once. OMP_NUM_THREADS: two
# processes of as many threads as cores each spin for each other's cores. Then those that are timed, each on a processor of
# its own, and those that want the whole machine. Status 5 is pytest's for no tests: ARGS may choose tests of one kind only,
# and has to choose some.
test: $(TESTABLE)
	chose=; \
	run() { $(ENV)/bin/python -m pytest -q "$$@" $(ARGS) && chose=yes || { status=$$?; [ $$status = 5 ] || exit $$status; }; }; \
	OMP_NUM_THREADS=1 run -n $(JOBS) --dist worksteal --timed=no; \
	run -n $$(nproc) --maxprocesses 4 --dist worksteal --timed=pinned; \
	run --timed=alone; \
	[ "$$chose" ] || exit 5

# The same on a CUDA machine; a GPU test that would skip itself fails instead.
gpu-test: export OUTPACE_REQUIRE_GPU = 1
gpu-test: test

# Goes on where it was stopped; on a CUDA machine ARGS="--device cuda".
corpus: $(TESTABLE)
	OMP_NUM_THREADS=1 $(ENV)/bin/python benchmarks/corpus.py $(ARGS)

fuzz: $(TESTABLE)
	$(ENV)/bin/python tests/server/lsp/fuzzing.py $(ARGS)

lint: .venv/.stamp-dev
	.venv/bin/ruff check .
	.venv/bin/codespell
	.venv/bin/pyright

dev: .venv/.stamp-dev

# With the server in it, for one platform: LibCST's parser is compiled. No torch: that is the user's.
vsix: vscode-extension/node_modules/.package-lock.json | .venv/bin/python
	.venv/bin/python vscode-extension/bundle.py $(VSIX_FOR) vscode-extension/bundled/libs
	rm -f vscode-extension/*.vsix
	cd vscode-extension && npm test && npx vsce package --target $(VSIX_FOR)

settings: $(INSTALLED)
	$(ENV)/bin/python -m outpace_server.lsp.settings_page

vscode-extension/node_modules/.package-lock.json: vscode-extension/package-lock.json
	cd vscode-extension && npm ci --no-fund --no-audit

editor-test: $(INSTALLED) vsix
	vscode-extension/tests/editor/setup.sh .editor-test
	.editor-test/nodeenv/bin/node vscode-extension/tests/editor/run.mjs .editor-test $(CURDIR)/.venv/bin/outpace docs/images

test-editor: editor-test

editors-test: $(TESTABLE)
	$(ENV)/bin/python -m pytest -q tests/server/lsp/test_editors.py $(ARGS)

# .venv: made here, installed from the registry that pip is configured for.

.venv/bin/python:
	@python=$$(for name in $(PY) python3 python3.11 python3.12 python3.13 python3.14; do \
	    "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done) \
	  || { echo 'error: no Python 3.11 or newer found; name one with PY=/path/python3' >&2; exit 1; }; \
	echo "$$python -m venv .venv"; "$$python" -m venv .venv

.venv/.stamp-torch: | .venv/bin/python
	.venv/bin/python -c 'import torch' 2>/dev/null || .venv/bin/python -m pip install -q $(TORCH)
	@touch $@

.venv/.stamp-installed: pyproject.toml .venv/.stamp-torch
	.venv/bin/python -m pip install -q -e .
	@touch $@

.venv/.stamp-dev: pyproject.toml .venv/.stamp-torch
	.venv/bin/python -m pip install -q -e '.[dev]'
	@touch .venv/.stamp-installed $@

# .venv-demo: sees everything that PYTHON has installed, also where PYTHON lives in an environment of its own (to which
# --system-site-packages would not lead), and this tree as it stands, so that nothing is built. pip adds what is missing.

PIP_SOURCE := $(if $(WHEELS),--no-index --find-links "$(abspath $(WHEELS))")

define DESCRIBE_PYTHON
import importlib.util, sys
if sys.version_info < (3, 11): sys.exit("error: outpace needs Python 3.11, and PYTHON is " + sys.version.split()[0])
if importlib.util.find_spec("torch") is None: sys.exit("error: no torch in " + sys.executable)
print(sys.executable)
endef
export DESCRIBE_PYTHON

define LINK_PACKAGES
import pathlib, sys
theirs = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
for path in theirs: print(f"import site; site.addsitedir({path!r})")
for name in ("server", "optimizers", "kernels", "audit"): print(pathlib.Path(name).resolve())
endef
export LINK_PACKAGES

define BASE_REQUIREMENTS
import pathlib, tomllib
print(*tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["dependencies"], sep="\n")
endef
export BASE_REQUIREMENTS

.venv-demo/.key: FORCE
	@python=$$("$(PYTHON)" -c "$$DESCRIBE_PYTHON"); \
	key=$$(printf '%s\n' "$$python" "$(abspath $(WHEELS))"); \
	if [ "$$(cat $@ 2>/dev/null)" != "$$key" ]; then \
	  rm -rf $(@D); mkdir $(@D); echo '*' >$(@D)/.gitignore; echo "$$key" >$@; fi

.venv-demo/.stamp-installed: .venv-demo/.key pyproject.toml
	"$(PYTHON)" -m venv --without-pip .venv-demo
	@site=$$(.venv-demo/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	"$(PYTHON)" -c "$$LINK_PACKAGES" >"$$site/outpace-demo.pth"
	@printf '#!/bin/sh\nexec "%s" -m outpace_server.cli "$$@"\n' "$(CURDIR)/.venv-demo/bin/python" >.venv-demo/bin/outpace
	@chmod +x .venv-demo/bin/outpace
	@.venv-demo/bin/python -m pip --version >/dev/null 2>&1 || .venv-demo/bin/python -m ensurepip
	@.venv-demo/bin/python -c "$$BASE_REQUIREMENTS" >.venv-demo/requirements.txt
	.venv-demo/bin/python -m pip install -q $(PIP_SOURCE) -r .venv-demo/requirements.txt
	@touch $@

.venv-demo/.stamp-test: .venv-demo/.stamp-installed
	.venv-demo/bin/python -m pip install -q $(PIP_SOURCE) $(TEST_TOOLS)
	@touch $@
