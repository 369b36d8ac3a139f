# Tiny static programs that tests run as apps.
PROBES := $(patsubst test/probes/%.c,$(BUILD)/probes/%,$(wildcard test/probes/*.c))

.PHONY: probes
probes: $(PROBES) $(BUILD)/probes/ace-validator
$(BUILD)/probes/%: test/probes/%.c
	@mkdir -p $(@D)
	$(MUSL_CC) $(WARN) -O2 -s -static -o $@.new $<
	mv $@.new $@

# The specification's own judge of an executor, from the source that Debian packages; static, to run in any image.
$(BUILD)/probes/ace-validator: | $(BUILD)/.deps
	@mkdir -p $(@D)
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(abspath $(BUILD))/go CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@.new github.com/appc/spec/ace
	mv $@.new $@
