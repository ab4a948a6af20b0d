# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
TORCH ?= auto
JOBS ?= 2
SETUP = $(PYTHON) scripts/setup_env.py
RUN = scripts/with_ros
PYTEST = $(RUN) python -m pytest --timeout 600 --durations 10

export SOURCE COMMAND BAG TORCH

.DEFAULT_GOAL := help
.PHONY: help setup demo test pythons lint type bench evaluate soak config docs clean

help:
	@echo "ris_node: camera frames and a command in, a mask and a region target out, on ROS 2"
	@echo
	@echo "  make demo     everything is set up, then a node grounds commands in a moving street scene (about 2 minutes);"
	@echo "                leaves demo/overlay.mp4, a contact sheet and results.jsonl"
	@echo '                on your own footage: make demo SOURCE=drive.mp4 COMMAND="stop next to the red car"'
	@echo "                (SOURCE is a video, a folder of images, or camera:0); on a recorded drive: make demo BAG=drive/"
	@echo "                the demo's own drive as a bag: make demo ARGS=--record"
	@echo "  make test     everything is set up, then the tests run; ARGS='-k camera' picks some;"
	@echo "                TORCH=0 leaves torch and its tests out, TORCH=1 installs it whatever its size;"
	@echo "                JOBS=4 runs them in four processes (2 by default)"
	@echo "  make pythons  the core's tests on every Python from 3.10 to 3.14 that is here, with NumPy 1.26 and 2;"
	@echo "                ARGS='3.12 --numpy 1.26' picks one"
	@echo "  make setup    only the set-up: .venv with ROS 2, ris_msgs and this project (PYTHON=python3.12 picks one)"
	@echo "  make lint     ruff, check and format          make type     mypy, strict"
	@echo "  make bench    latency, CPU and memory: bare network, core, node over DDS, ours against CLIPSeg and others"
	@echo "                (these are exported once, with random weights, which takes minutes); writes bench/"
	@echo "  make evaluate how good the bundles are, beside two baselines (minutes; needs RIS_DATA, see ris data); writes bench/evaluation/"
	@echo "  make soak     the tests that take minutes, 10 of them at 60 Hz"
	@echo "  make config   writes config/ris_node.yaml anew after a change of ris_node/config.py"
	@echo "  make docs     builds the site of docs/ and of the docstrings into build/site; fails on a broken link"
	@echo "  make clean    removes .venv and what the commands above have built"
	@echo
	@echo "  scripts/with_ros COMMAND   runs anything in that environment, e.g.  scripts/with_ros ris --help"

setup:
	@$(SETUP) --profile demo

demo:
	@$(SETUP) --profile $(if $(BAG)$(findstring --record,$(ARGS)),bags,demo)
	@$(RUN) ris demo $${BAG:+--source "$$BAG"} $${SOURCE:+--source "$$SOURCE"} $${COMMAND:+--command "$$COMMAND"} $(ARGS)

test:
	@$(SETUP) --profile test
	@$(PYTEST) -n $(JOBS) --dist loadfile -m "not gpu and not soak" $(ARGS)

pythons:
	@$(PYTHON) scripts/pythons.py $(ARGS)

lint:
	@$(SETUP) --profile test
	@$(RUN) ruff check
	@$(RUN) ruff format --check

type:
	@$(SETUP) --profile test
	@$(RUN) mypy

bench:
	@$(SETUP) --profile test
	@$(RUN) python -m ris_node.export.rivals bench/rivals || echo "bench: without all of the other networks"
	@$(RUN) ris bench $(ARGS)

evaluate:
	@$(SETUP) --profile test
	@$(RUN) ris evaluate --bundles engines/keyword-baseline engines/keyword-baseline:no-rules engines/default \
		--out bench/evaluation $(ARGS)

soak:
	@$(SETUP) --profile test
	@$(PYTEST) --timeout 1800 -m soak $(ARGS)

config:
	@$(SETUP) --profile demo
	@sed -n '/^#/p' config/ris_node.yaml > config/ris_node.yaml.new
	@$(RUN) ris config >> config/ris_node.yaml.new
	@mv config/ris_node.yaml.new config/ris_node.yaml

docs:
	@$(SETUP) --profile docs
	@NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

clean:
	rm -rf .venv .venv.lock .venv.log build dist install log demo bench ris_node.egg-info
	rm -rf ros2_ws/build ros2_ws/install ros2_ws/log .pytest_cache .mypy_cache .ruff_cache .hypothesis
