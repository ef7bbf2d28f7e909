defmodule Kvcached.PowStore do
  @moduledoc """
  Pow's cache in kvcached: it stands where `Pow.Store.Backend.EtsCache` stood, and holds the same
  for all nodes.

      config :my_app, :pow,
        user: MyApp.Users.User,
        repo: MyApp.Repo,
        cache_store_backend: Kvcached.PowStore

  `{Kvcached, host: ...}` has to be among the children of the application, before the endpoint.

  ## Configuration options

  Pow gives the first three:

    * `:ttl` - after how many milliseconds records expire; they never do if it is missing or `nil`
    * `:namespace` - any term, "cache" if missing. The same key in two namespaces is two records.
      A name that is right for kvcached is the namespace there as well, with its own limits and
      rights; any other term becomes the hash of it, `pow.` and 52 letters and digits. Applications
      that share a daemon need namespaces of their own
    * `:writes` - `:async` to not wait until records are written. Such writes of one node to one
      namespace keep their order; those that fail are in the log
    * `:cache` - the name of the pool, `Kvcached` if missing
    * `:safe` - see below, `true` if missing

  What Pow does not give can be configured for all:

      config :kvcached, Kvcached.PowStore, cache: MyApp.Cache

  ## Records

  Keys and values are any terms. A key that is no list is the same as a list of it alone. Unlike
  in `:ets`, 1 and 1.0 are two keys. A key is stored with its value, so one that is too long for the
  protocol is hashed, and yet `all/2` has it.

  `all/2` has the daemon look for the keys that match, which takes the right `admin` in the
  namespace where there are users; the rest takes `read` and `write`. Pow calls it in `put` for
  sessions with a fingerprint, and to list users and sessions.

  What the daemon cannot do raises `Kvcached.Error`.

  ## Atoms

  Values are read with `:erlang.binary_to_term(value, [:safe])`, so that a client that may write to
  the cache cannot fill the table of atoms. But then an atom has to be there already when a value is
  read. In a release it is, since all modules are loaded at the start. Where modules are loaded
  when they are first called, as in development, a record of a user may be read before the
  module of the user is loaded: it is taken for `:not_found` then, with a line in the log. Set
  `safe: false` there.

  A client that may write to the cache can forge sessions either way: only the application
  should have that right.
  """

  alias Kvcached.{Command, Pool, Terms}

  # Pow is no dependency. Where it is there, the compiler compares.
  with {:module, _} <- Code.ensure_compiled(Pow.Store.Backend.Base) do
    @behaviour Pow.Store.Backend.Base
  end

  @type config :: keyword
  @type key :: term
  @type record :: {key, term}

  # kvcached's longest time, 36500 days. What is to live longer lives for ever.
  @longest 36_500 * 24 * 60 * 60 * 1000

  @doc "Stores a record, or a list of records."
  @spec put(config, record | [record]) :: :ok
  def put(config, record_or_records) do
    config = configure(config)

    record_or_records
    |> List.wrap()
    |> Enum.map(fn {key, value} -> put_call(config, List.wrap(key), value) end)
    |> write(config)
  end

  @doc "Deletes a record, if it is there."
  @spec delete(config, key) :: :ok
  def delete(config, key) do
    config = configure(config)
    write([delete_call(config, List.wrap(key))], config)
  end

  @doc "Reads a value."
  @spec get(config, key) :: term | :not_found
  def get(config, key) do
    config = configure(config)
    key = List.wrap(key)

    with binary when is_binary(binary) <-
           Kvcached.get!(config.cache, config.namespace, Terms.key(key)),
         {:ok, {^key, value}} <- load(config, binary) do
      value
    else
      _ -> :not_found
    end
  end

  @doc "Reads the records whose keys match, as in the head of a match specification."
  @spec all(config, term) :: [record]
  def all(config, key_match) do
    config = configure(config)
    match = List.wrap(key_match)
    spec = :ets.match_spec_compile([{{match, :_}, [], [:"$_"]}])

    # A record that was written meanwhile may come twice; the one that came last is newer.
    config.cache
    |> Kvcached.all!(config.namespace, Terms.pattern(match))
    |> Enum.flat_map(fn {_, binary} -> loaded(config, binary) end)
    |> :ets.match_spec_run(spec)
    |> Map.new()
    |> Enum.sort()
    |> Enum.map(fn {key, value} -> {unwrap(key), value} end)
  end

  defp loaded(config, binary) do
    case load(config, binary) do
      {:ok, {key, value}} when is_list(key) -> [{key, value}]
      _ -> []
    end
  end

  defp load(config, binary) do
    Terms.load(binary, config.safe, "namespace #{config.namespace}")
  end

  defp unwrap([key]), do: key
  defp unwrap(key), do: key

  # --- writing --------------------------------------------------------------------------------

  # Time 0 is over at once, and to kvcached it would be no end.
  defp put_call(%{ttl: 0} = config, key, _), do: delete_call(config, key)

  defp put_call(config, key, value) do
    {:put, config.namespace, Terms.key(key), Terms.dump({key, value}), ttl: config.ttl}
  end

  defp delete_call(config, key), do: {:delete, config.namespace, Terms.key(key)}

  defp write([], _), do: :ok

  defp write(calls, %{writes: :async} = config) do
    commands = Enum.map(calls, &command!/1)
    Pool.start(config.cache, commands, config.namespace, &report(config, &1))
  end

  defp write(calls, config) do
    for {:error, error} <- Kvcached.pipeline(config.cache, calls), do: raise(error)
    :ok
  end

  defp command!(call) do
    case Command.new(call) do
      {:ok, command} -> command
      {:error, error} -> raise error
    end
  end

  defp report(config, error) do
    require Logger
    Logger.error("namespace #{config.namespace}: a write failed: #{error.message}")
  end

  # --- configuration --------------------------------------------------------------------------

  defp configure(config) do
    config = Keyword.merge(Application.get_env(:kvcached, __MODULE__, []), config)

    %{
      cache: Keyword.get(config, :cache, Kvcached),
      namespace: config |> Keyword.get(:namespace, "cache") |> namespace(),
      ttl: ttl(config[:ttl]),
      writes: Keyword.get(config, :writes, :sync),
      safe: Keyword.get(config, :safe, true)
    }
  end

  # A name that begins with "pow." is hashed too, so that no other term is hashed to it.
  defp namespace(name) do
    if is_binary(name) and name =~ ~r/\A[A-Za-z0-9_.-]{1,64}\z/ and name != "-" and
         not String.starts_with?(name, "pow.") do
      name
    else
      hash = :crypto.hash(:sha256, :erlang.term_to_binary(name, [:deterministic]))
      "pow." <> Base.encode32(hash, case: :lower, padding: false)
    end
  end

  defp ttl(nil), do: :never
  defp ttl(ttl) when is_integer(ttl) and ttl > @longest, do: :never
  defp ttl(ttl) when is_integer(ttl) and ttl >= 0, do: ttl

  defp ttl(ttl) do
    raise ArgumentError, ":ttl is a number of milliseconds, and not #{inspect(ttl)}"
  end
end
