defmodule Kvcached.PlugStore do
  @moduledoc """
  Plug's sessions in kvcached.

      plug Plug.Session,
        store: Kvcached.PlugStore,
        key: "_my_app_session",
        ttl: :timer.hours(2)

  The cookie holds nothing but the session's id, which is 256 bits of chance. `{Kvcached, host: ...}`
  has to be among the children of the application, before the endpoint.

  ## Options

    * `:cache` - the name of the pool, `Kvcached` if missing
    * `:namespace` - a name of 1 to 64 of `A-Z a-z 0-9 _ . -`, "sessions" if missing
    * `:ttl` - after how many milliseconds a session expires, counted from when it was written
      last; 30 minutes if missing. Plug writes a session when it was changed, and at
      `Plug.Conn.configure_session(conn, renew: true)`
    * `:safe` - see "Atoms" in `Kvcached.PowStore`, `true` if missing

  What the daemon cannot do raises `Kvcached.Error`.
  """

  alias Kvcached.Terms

  # Plug is no dependency. Where it is there, the compiler compares.
  with {:module, _} <- Code.ensure_compiled(Plug.Session.Store) do
    @behaviour Plug.Session.Store
  end

  @id_bytes 32
  @id_size 43

  @doc "Checks the options."
  def init(opts) do
    config = %{
      cache: Keyword.get(opts, :cache, Kvcached),
      namespace: Keyword.get(opts, :namespace, "sessions"),
      ttl: Keyword.get(opts, :ttl, :timer.minutes(30)),
      safe: Keyword.get(opts, :safe, true)
    }

    unless is_integer(config.ttl) and config.ttl > 0 do
      raise ArgumentError, ":ttl is a number of milliseconds, and not #{inspect(config.ttl)}"
    end

    case Kvcached.Words.namespace(config.namespace) do
      {:ok, _} -> config
      {:error, error} -> raise ArgumentError, error.message
    end
  end

  @doc "The session of a cookie, or `{nil, %{}}` where there is none."
  def get(_conn, cookie, config) do
    with true <- id?(cookie),
         binary when is_binary(binary) <- Kvcached.get!(config.cache, config.namespace, cookie),
         {:ok, session} when is_map(session) <-
           Terms.load(binary, config.safe, "namespace #{config.namespace}") do
      {cookie, session}
    else
      _ -> {nil, %{}}
    end
  end

  @doc "Stores a session for the whole time; without an id it gets one."
  def put(_conn, nil, session, config) do
    id = @id_bytes |> :crypto.strong_rand_bytes() |> Base.url_encode64(padding: false)

    case Kvcached.add!(config.cache, config.namespace, id, Terms.dump(session), ttl: config.ttl) do
      :ok -> id
      :exists -> put(nil, nil, session, config)
    end
  end

  def put(_conn, id, session, config) do
    Kvcached.put!(config.cache, config.namespace, id, Terms.dump(session), ttl: config.ttl)
    id
  end

  @doc "Deletes a session, if it is there."
  def delete(_conn, id, config) do
    Kvcached.delete!(config.cache, config.namespace, id)
    :ok
  end

  # What no session was ever given is not asked for.
  defp id?(cookie), do: is_binary(cookie) and byte_size(cookie) == @id_size and id_bytes?(cookie)

  defp id_bytes?(cookie), do: match?({:ok, _}, Base.url_decode64(cookie, padding: false))
end
