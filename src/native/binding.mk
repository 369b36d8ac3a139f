# The N-API binding: plain gcc, the headers of the npm package node-api-headers, nothing to link with but libc.
BINDING_C := $(addprefix src/native/,binding.c binding-values.c binding-files.c binding-mount.c binding-process.c binding-root.c binding-overlay.c binding-marks.c layers.c binding-xattr.c)

all: $(LIB)/binding.node
$(LIB)/binding.node: $(BINDING_C) $(wildcard src/native/binding*.h) src/native/layers.h node_modules/.package-lock.json
	@mkdir -p $(@D)
	$(CC) $(WARN) $(HARDEN) -fPIC -fvisibility=hidden -isystem node_modules/node-api-headers/include -shared \
	  -Wl,-z,relro,-z,now -o $@.new $(BINDING_C) -lm
	mv $@.new $@
