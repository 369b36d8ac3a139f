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
