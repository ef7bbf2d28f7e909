# The callbacks that Pow and Plug publish, so that the compiler compares the stores with them.
# Pow: Pow.Store.Backend.Base of 1.0.20 and later. Plug: Plug.Session.Store of 1.0 and later.

defmodule Pow.Store.Backend.Base do
  @moduledoc false

  @type config :: keyword
  @type key :: [binary | atom] | binary
  @type record :: {key, any}
  @type key_match :: [atom | binary]

  @callback put(config, record | [record]) :: :ok
  @callback delete(config, key) :: :ok
  @callback get(config, key) :: any | :not_found
  @callback all(config, key_match) :: [record]
end

defmodule Plug.Session.Store do
  @moduledoc false

  @type sid :: term | nil
  @type cookie :: binary
  @type session :: map
  @type opts :: term

  @callback init(opts) :: opts
  @callback get(conn :: term, cookie, opts) :: {sid, session}
  @callback put(conn :: term, sid, any, opts) :: cookie
  @callback delete(conn :: term, sid, opts) :: :ok
end
