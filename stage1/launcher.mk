# The launcher: static, musl. Kernel headers come from the distribution, behind musl's own.
LAUNCHER_SRC := $(wildcard stage1/*.c)
LAUNCHER_CC := musl-gcc
LAUNCHER_FLAGS := $(WARN) -D_GNU_SOURCE -O2 -fstack-protector-strong -fno-pie -no-pie -static -s -ffunction-sections -Wl,--gc-sections \
  -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu

all: $(LIB)/launcher

$(LIB)/launcher: $(LAUNCHER_SRC) $(wildcard stage1/*.h) stage1/launcher.mk
	@mkdir -p $(@D)
	$(LAUNCHER_CC) $(LAUNCHER_FLAGS) -o $@ $(LAUNCHER_SRC)

all: $(LIB)/rkt-default.apparmor

$(LIB)/rkt-default.apparmor: stage1/rkt-default.apparmor
	@mkdir -p $(@D)
	cp $< $@

# ---- under sanitizers, for tests alone ----

LAUNCHER_HDR := $(wildcard stage1/*.h)
LAUNCHER_SANITIZE := -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LAUNCHER_FUZZERS := $(addprefix $(BUILD)/fuzz/launcher-,plan guest control)
LAUNCHER_CHECKED := $(BUILD)/asan/launcher-objects

# Each way that is taken is told to the fuzzers' driver: they find which mutations lead somewhere.
$(LAUNCHER_CHECKED)/.made: $(LAUNCHER_SRC) $(LAUNCHER_HDR) stage1/launcher.mk | $(BUILD)/.deps
	@mkdir -p $(@D)
	cd $(@D) && $(CC) $(LAUNCHER_SANITIZE) -fsanitize-coverage=trace-pc -c $(abspath $(LAUNCHER_SRC))
	touch $@

$(BUILD)/fuzz/launcher-%: stage1/fuzz/%.c stage1/fuzz/driver.c stage1/fuzz/fuzz.h $(LAUNCHER_CHECKED)/.made
	@mkdir -p $(@D)
	$(CC) $(LAUNCHER_SANITIZE) $(WARN) -o $@ $< stage1/fuzz/driver.c $(filter-out %/main.o,$(patsubst stage1/%.c,$(LAUNCHER_CHECKED)/%.o,$(LAUNCHER_SRC)))

# A command of its own whose launcher has the sanitizers; all else is the built one.
$(BUILD)/asan/bin/rkt: stage1/fuzz/sanitized.c $(LAUNCHER_CHECKED)/.made $(LIB)/rkt.cjs $(BUILD)/bin/rkt $(LIB)/binding.node $(LIB)/seccomp $(LIB)/unpack
	@mkdir -p $(@D) $(BUILD)/asan/lib/rkt
	rm -rf $(BUILD)/asan/lib/rkt/*
	cp -a $(LIB)/* $(BUILD)/asan/lib/rkt/
	$(CC) $(LAUNCHER_SANITIZE) $(WARN) -o $(BUILD)/asan/lib/rkt/launcher $< $(patsubst stage1/%.c,$(LAUNCHER_CHECKED)/%.o,$(LAUNCHER_SRC))
	cp $(BUILD)/bin/rkt $@

probes: $(LAUNCHER_FUZZERS) $(BUILD)/asan/bin/rkt
