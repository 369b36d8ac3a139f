# make             build the command: build/bin/rkt
# make quickstart  install what is missing, build, and do the main job on real input
# make test        install what is missing, build, and pass every test
# make test-sanitized  pass the tests of pods with a launcher under AddressSanitizer and UBSan
# make test-guest  pass the checks on Linux 6.1, in a virtual machine; CHECKS=isolation: those of isolation alone
# make guest-kernel  build the kernel of the kvm flavour; some minutes, once
# make bench       measure, side by side with the peers
# make fuzz        feed the readers of untrusted bytes with mutations, under sanitizers; FUZZ_SECONDS=300, SEED=1
# make typecheck   check the types, write nothing
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
MUSL_CC ?= musl-gcc
WARN := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wconversion -Wswitch-enum -Wformat=2 -Wno-sign-conversion
HARDEN := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fPIE -fcf-protection

TS := $(shell find src test -name '*.ts' 2>/dev/null)

.PHONY: all
all: $(BUILD)/bin/rkt $(LIB)/rkt.cjs

include $(wildcard src/native/*.mk stage1/*.mk test/*.mk)

# ---- what is installed ----

$(BUILD)/.deps: debian-packages.txt
	tools/install-debian-packages debian-packages.txt
	@mkdir -p $(@D) && touch $@

# Compilers and headers come with the packages.
$(LIB)/binding.node $(LIB)/seccomp $(LIB)/launcher $(LIB)/unpack $(BUILD)/bin/rkt $(PROBES): | $(BUILD)/.deps

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

# ---- TypeScript ----

$(BUILD)/.tsc: $(TS) tsconfig.json node_modules/.package-lock.json
	node_modules/.bin/tsc -p .
	@mkdir -p $(@D) && touch $@

$(LIB)/rkt.cjs: $(BUILD)/.tsc $(LIB)/node tools/bundle.mjs tools/loader.cjs tools/code-cache.cjs \
  $(LIB)/launcher $(LIB)/unpack $(LIB)/seccomp $(LIB)/binding.node
	@mkdir -p $(@D)
	$(LIB)/node tools/bundle.mjs $(LIB)

.PHONY: typecheck
typecheck: node_modules/.package-lock.json
	node_modules/.bin/tsc -p . --noEmit

# ---- what is run ----

.PHONY: quickstart test test-sanitized test-guest bench fuzz
quickstart: all
	tools/quickstart

test: all probes guest-kernel
	tools/run-tests

# The built command with another launcher; tests that look at the program file itself are not among these.
test-sanitized: all probes
	RKT_TEST_PROGRAM=$(abspath $(BUILD)/asan/bin/rkt) tools/run-tests $(foreach set,run app attach enter logs,$(patsubst test/%.ts,$(BUILD)/js/test/%.js,$(filter-out %/run-kvm.test.ts %/run-oci.test.ts,$(wildcard test/functional/$(set)*.test.ts))))

test-guest: all
	tools/install-debian-packages debian-packages-guest.txt
	tools/test-guest $(CHECKS)

bench: all
	tools/bench/bench.mjs

.PHONY: guest-kernel
guest-kernel: $(BUILD)/.deps
	tools/install-debian-packages debian-packages-kernel.txt
	tools/guest-kernel $(LIB)/guest-kernel

FUZZ_SECONDS ?= 300
fuzz: all probes
	tools/fuzz $(FUZZ_SECONDS)

# ---- what is installed for everybody ----

PROGRAMS := launcher keep-network seccomp unpack binding.node
MAN := $(wildcard specs/man/*.[1-8])
UNITS := $(wildcard units/rkt*)
UNITDIR ?= $(PREFIX)/lib/systemd/system

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/{bin,lib/rkt,share/man,share/bash-completion/completions,share/zsh/site-functions,share/fish/vendor_completions.d}
	rm -f $(DESTDIR)$(PREFIX)/lib/rkt/*.{cjs,js,cache,bpf}
	install -m 755 $(BUILD)/bin/rkt $(DESTDIR)$(PREFIX)/bin/rkt
	install -m 755 $(addprefix $(LIB)/,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/lib/rkt
	install -m 644 $(LIB)/*.cjs $(LIB)/*.js $(LIB)/*.cache $(LIB)/*.bpf $(LIB)/*.apparmor $(DESTDIR)$(PREFIX)/lib/rkt
	[ ! -f $(LIB)/guest-kernel ] || install -m 644 $(LIB)/guest-kernel $(DESTDIR)$(PREFIX)/lib/rkt
	ln -sfn $$(readlink $(LIB)/node) $(DESTDIR)$(PREFIX)/lib/rkt/node
	$(BUILD)/bin/rkt completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rkt
	$(BUILD)/bin/rkt completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rkt
	$(BUILD)/bin/rkt completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rkt.fish
	install -d $(DESTDIR)$(UNITDIR)
	for unit in $(UNITS); do sed 's|@bindir@|$(PREFIX)/bin|' $$unit > $(DESTDIR)$(UNITDIR)/$${unit##*/} && chmod 644 $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	for page in $(MAN); do install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

.PHONY: clean
clean:
	rm -rf $(BUILD)
