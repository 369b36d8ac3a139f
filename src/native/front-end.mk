# The command itself: a static program that becomes Node.
NODE_FLAGS ?= "--no-warnings"

all: $(BUILD)/bin/rkt $(LIB)/node

FRONT_END_C := src/native/front-end.c src/native/caller-state.c $(wildcard src/native/rootless/*.c)

$(BUILD)/bin/rkt: $(FRONT_END_C) src/native/caller-state.h $(wildcard src/native/rootless/*.h) src/native/front-end.mk
	@mkdir -p $(@D)
	$(MUSL_CC) $(WARN) $(filter-out -fPIE -D_FORTIFY_SOURCE=3,$(HARDEN)) -s -static -Wl,-z,relro,-z,now \
	  -DBUNDLE='"rkt.cjs"' -DNODE_FLAGS='$(NODE_FLAGS)' -o $@.new $(FRONT_END_C)
	mv $@.new $@

# The Node of the build is the Node of the command; `make NODE=/path` chooses another.
$(LIB)/node: $(NODE)
	@mkdir -p $(@D)
	@$(NODE) -e 'const [a, b] = process.versions.node.split(".").map(Number); if (a < 20 || (a === 20 && b < 19)) { console.error(`make: $(NODE) is Node.js $${process.versions.node}; expected 20.19 or newer`); process.exit(1) }'
	ln -sfn $$(readlink -f $(NODE)) $@
