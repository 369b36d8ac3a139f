# The sandboxed unpacker: libarchive decompresses, everything else is ours.

UNPACK_SRC := $(wildcard src/native/unpack/*.c)
UNPACK_TAR := src/native/unpack/failure.c $(wildcard src/native/unpack/tar*.c)
UNPACK_HDR := $(wildcard src/native/unpack/*.h)
UNPACK_LIBS := -larchive -lcrypto -lseccomp -lpthread
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

all: $(LIB)/unpack

$(LIB)/unpack: $(UNPACK_SRC) $(UNPACK_HDR)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(HARDEN) -pie -Wl,-z,relro,-z,now,-z,noexecstack -o $@.new $(UNPACK_SRC) $(UNPACK_LIBS)
	mv $@.new $@

# The same program under AddressSanitizer and UBSan; without the system call filter and the memory limit, which they cannot bear.
$(BUILD)/asan/unpack: $(UNPACK_SRC) $(UNPACK_HDR) | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(WARN) $(SANITIZE) -o $@ $(UNPACK_SRC) $(UNPACK_LIBS)

# The tar reader alone, under the same, fed with mutations of an archive: build/fuzz/tar FILE ROUNDS [SEED].
$(BUILD)/fuzz/tar: src/native/unpack/fuzz/tar-fuzz.c $(UNPACK_TAR) $(UNPACK_HDR) | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(WARN) $(SANITIZE) -o $@ $< $(UNPACK_TAR)

# Tests run both.
probes: $(BUILD)/asan/unpack $(BUILD)/fuzz/tar
