# make             build the command: build/bin/rkt
# make quickstart  install what is missing, build, and do the main job on real input
# make test        install what is missing, build, and pass every test
# make bench       measure, side by side with the peers
# make install     PREFIX= DESTDIR=

SHELL := /bin/bash
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
LIB := $(BUILD)/lib/rkt
NODE := $(shell command -v node)

CC ?= gcc
WARN := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wconversion -Wswitch-enum -Wformat=2 -Wno-sign-conversion
HARDEN := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE -fcf-protection

TS := $(shell find src test -name '*.ts' 2>/dev/null)

.PHONY: all
all: $(BUILD)/bin/rkt $(LIB)/rkt.mjs

include $(wildcard src/native/*.mk stage1/*.mk test/*.mk)

# ---- what is installed ----

$(BUILD)/.deps: debian-packages.txt
	tools/install-debian-packages debian-packages.txt
	@mkdir -p $(@D) && touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

# ---- TypeScript ----

$(BUILD)/.tsc: $(TS) tsconfig.json node_modules/.package-lock.json
	node_modules/.bin/tsc -p .
	@mkdir -p $(@D) && touch $@

$(LIB)/rkt.mjs: $(BUILD)/.tsc tools/bundle.mjs
	node tools/bundle.mjs $(LIB)

.PHONY: clean
clean:
	rm -rf $(BUILD)
