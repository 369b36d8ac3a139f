# The compiler of seccomp profiles, with libseccomp inside: the program's identity is part of the key of cached filters.
SECCOMP_C := $(addprefix src/native/,seccomp.c seccomp-profile.c seccomp-names.c seccomp-code.c)

all: $(LIB)/seccomp
$(LIB)/seccomp: $(SECCOMP_C) $(wildcard src/native/seccomp*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(HARDEN) -pie -s -Wl,-z,relro,-z,now -o $@.new $(SECCOMP_C) -l:libseccomp.a
	mv $@.new $@
