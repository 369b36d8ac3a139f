# Other releases of Node.js, as npm packages.
NODE_VERSIONS := test/node-versions/node_modules/.package-lock.json

$(NODE_VERSIONS): test/node-versions/package-lock.json
	npm ci --prefix test/node-versions --no-audit --no-fund
	@touch $@

test: $(NODE_VERSIONS)
