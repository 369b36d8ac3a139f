# The compiler of seccomp profiles, with libseccomp inside: the program's identity is part of the key of cached filters.
SECCOMP_C := $(addprefix src/native/,seccomp.c seccomp-profile.c seccomp-names.c seccomp-code.c)

all: $(LIB)/seccomp
$(LIB)/seccomp: $(SECCOMP_C) $(wildcard src/native/seccomp*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(HARDEN) -pie -s -Wl,-z,relro,-z,now -o $@.new $(SECCOMP_C) -l:libseccomp.a
	mv $@.new $@

# The default filter, so that the first start does not compile it.
all: $(BUILD)/.default-filter
$(BUILD)/.default-filter: $(LIB)/seccomp $(LIB)/node $(BUILD)/.tsc tools/default-filter.mjs
	$(LIB)/node tools/default-filter.mjs $(LIB)
	@touch $@
