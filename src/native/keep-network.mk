# What holds a pod's ports and packet rules while it runs: static, so that it stays small.
KEEP_NETWORK_C := $(addprefix src/native/keep-network/,main.c frame.c claims.c netfilter.c relay.c relay-tcp.c relay-udp.c confine.c send.c)

all: $(LIB)/keep-network
$(LIB)/keep-network: $(KEEP_NETWORK_C) $(wildcard src/native/keep-network/*.h) src/native/keep-network.mk | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(MUSL_CC) $(WARN) $(filter-out -fPIE -D_FORTIFY_SOURCE=3,$(HARDEN)) -s -static -Wl,-z,relro,-z,now \
	  -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu -o $@.new $(KEEP_NETWORK_C)
	mv $@.new $@
