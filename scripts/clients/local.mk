# scripts/clients/local.mk - clients in other languages, and what all of them are tested with.

EXTRA_DIST += scripts/clients/vectors.txt scripts/clients/with-daemon

include scripts/clients/elixir/local.mk
include scripts/clients/node/local.mk
include scripts/clients/python/local.mk
