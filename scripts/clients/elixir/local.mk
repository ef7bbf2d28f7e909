# scripts/clients/elixir/local.mk - the client for Elixir.

EXTRA_DIST += scripts/clients/elixir/.formatter.exs scripts/clients/elixir/LICENSE \
              scripts/clients/elixir/README.md \
              scripts/clients/elixir/check \
              scripts/clients/elixir/mix.exs \
              scripts/clients/elixir/lib/kvcached.ex \
              scripts/clients/elixir/lib/kvcached/application.ex \
              scripts/clients/elixir/lib/kvcached/command.ex \
              scripts/clients/elixir/lib/kvcached/connection.ex \
              scripts/clients/elixir/lib/kvcached/error.ex \
              scripts/clients/elixir/lib/kvcached/options.ex \
              scripts/clients/elixir/lib/kvcached/pipeline.ex \
              scripts/clients/elixir/lib/kvcached/plug_store.ex \
              scripts/clients/elixir/lib/kvcached/pool.ex \
              scripts/clients/elixir/lib/kvcached/pow_store.ex \
              scripts/clients/elixir/lib/kvcached/reply.ex \
              scripts/clients/elixir/lib/kvcached/terms.ex \
              scripts/clients/elixir/lib/kvcached/transport.ex \
              scripts/clients/elixir/lib/kvcached/words.ex \
              scripts/clients/elixir/test/configuration_test.exs \
              scripts/clients/elixir/test/connection_test.exs \
              scripts/clients/elixir/test/kvcached_test.exs \
              scripts/clients/elixir/test/plug_store_test.exs \
              scripts/clients/elixir/test/pow_store_test.exs \
              scripts/clients/elixir/test/support/behaviours.ex \
              scripts/clients/elixir/test/support/daemon.ex \
              scripts/clients/elixir/test/support/server.ex \
              scripts/clients/elixir/test/support/user.ex \
              scripts/clients/elixir/test/support/vectors.ex \
              scripts/clients/elixir/test/terms_test.exs \
              scripts/clients/elixir/test/test_helper.exs \
              scripts/clients/elixir/test/vectors_test.exs
