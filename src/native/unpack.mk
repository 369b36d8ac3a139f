# The sandboxed unpacker: libarchive decompresses, everything else is ours.

UNPACK_SRC := $(wildcard src/native/unpack/*.c)
UNPACK_TAR := $(addprefix src/native/unpack/,failure.c tar.c tar-number.c tar-path.c tar-pax.c)
UNPACK_HDR := $(wildcard src/native/unpack/*.h)
UNPACK_LIBS := -larchive -lcrypto -lseccomp -lpthread
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

all: $(LIB)/unpack

$(LIB)/unpack: $(UNPACK_SRC) $(UNPACK_HDR) $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(WARN) $(HARDEN) -pie -Wl,-z,relro,-z,now,-z,noexecstack -o $@ $(UNPACK_SRC) $(UNPACK_LIBS)

# The same program under AddressSanitizer and UBSan; without the system call filter and the memory limit, which they cannot bear.
$(BUILD)/asan/unpack: $(UNPACK_SRC) $(UNPACK_HDR) $(BUILD)/.deps
	@mkdir -p $(@D)
	$(CC) $(WARN) $(SANITIZE) -o $@ $(UNPACK_SRC) $(UNPACK_LIBS)
