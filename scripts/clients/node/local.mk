# scripts/clients/node/local.mk - the client for Node. It is published from here, and not installed.

EXTRA_DIST += scripts/clients/node/LICENSE scripts/clients/node/README.md \
              scripts/clients/node/check scripts/clients/node/package.json \
              scripts/clients/node/index.js scripts/clients/node/index.mjs \
              scripts/clients/node/index.d.ts scripts/clients/node/index.d.mts \
              scripts/clients/node/express-session.js scripts/clients/node/express-session.mjs \
              scripts/clients/node/express-session.d.ts scripts/clients/node/express-session.d.mts \
              scripts/clients/node/lib/client.js scripts/clients/node/lib/connection.js \
              scripts/clients/node/lib/errors.js scripts/clients/node/lib/listing.js \
              scripts/clients/node/lib/options.js scripts/clients/node/lib/queue.js \
              scripts/clients/node/lib/reader.js scripts/clients/node/lib/reconnecting.js \
              scripts/clients/node/lib/request.js scripts/clients/node/lib/requests.js \
              scripts/clients/node/lib/words.js \
              scripts/clients/node/test/calls.js scripts/clients/node/test/client.test.js \
              scripts/clients/node/test/faults.test.js scripts/clients/node/test/package.test.js \
              scripts/clients/node/test/session.test.js scripts/clients/node/test/support.js \
              scripts/clients/node/test/types/tsconfig.json \
              scripts/clients/node/test/types/uses.cts scripts/clients/node/test/types/uses.mts \
              scripts/clients/node/test/vectors.js scripts/clients/node/test/vectors.test.js
