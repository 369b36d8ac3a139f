# Tiny static programs that tests run as apps.
PROBES := $(patsubst test/probes/%.c,$(BUILD)/probes/%,$(wildcard test/probes/*.c))

.PHONY: probes
probes: $(PROBES)
$(BUILD)/probes/%: test/probes/%.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(WARN) -O2 -s -static -o $@.new $<
	mv $@.new $@
