defmodule Kvcached do
  @moduledoc """
  A client of the cache daemon kvcached.

  A pool of connections is a supervisor, to be put under one of yours:

      children = [
        {Kvcached, host: "cache.example.net", tls: true, user: "web", password: secret}
      ]

  Then every process may use it, by its name:

      :ok = Kvcached.put(Kvcached, "sessions", "alice", "hello", ttl: :timer.minutes(30))
      {:ok, "hello"} = Kvcached.get(Kvcached, "sessions", "alice")
      :not_found = Kvcached.get(Kvcached, "sessions", "bob")

  ## What is stored

  A record is a value under a key in a namespace. Keys are binaries of any bytes, 1024 at most
  as they are sent: of white space, control characters and byte 127 each counts as four. Values are
  iodata. For terms there are `Kvcached.PowStore` and `Kvcached.PlugStore`.

  A namespace is 1 to 64 of `A-Z a-z 0-9 _ . -`; a lone `-` is the daemon's default namespace.
  This is a cache: a record may go before its time when memory is short.

  ## Results

  An operation returns `:ok` or `{:ok, result}`, `:not_found` where there is no such record, or
  `{:error, error}` with a `Kvcached.Error`. The forms with `!` return `:ok`, the result or
  `:not_found`, and raise the error.

  ## Options of operations

    * `:timeout` - how many milliseconds the caller waits for the reply, or `:infinity`; the
      pool's if missing
    * `:ttl` - in operations that write: after how many milliseconds the record expires, or
      `:never`; the namespace's own if missing
    * `:flags` - in `put/5` and `add/5`: a number of 32 bits, which clients of memcached see

  ## Connections

  Requests are written as they come, and do not wait for the replies to those of others. A caller
  whose time is over does not disturb the others: its reply is dropped when it comes.

  When the connection breaks, requests that only read are sent again over another one, within the
  caller's time. Those that change something are not: their error has `done: :unknown`, for they
  may have been executed. A connection that was lost is made again at once, and then with delays
  from `:backoff_min` to `:backoff_max`. While there is none, operations fail at once.
  """

  use Supervisor

  alias Kvcached.{Command, Connection, Error, Options, Pool}

  @type cache :: Supervisor.supervisor()
  @type namespace :: String.t()
  @type key :: binary
  @type error :: {:error, Error.t()}
  @type option ::
          {:timeout, timeout} | {:ttl, number | :never} | {:flags, 0..0xFFFFFFFF}

  @doc """
  Starts a pool of connections. It does not wait until they are made.

  ## Options

    * `:name` - the name of the pool, `Kvcached` if missing; `nil` for none, then it is used by its
      process
    * `:host` - a name, an address, or `{:local, path}` for a Unix socket; "127.0.0.1" if missing
    * `:port` - 7171 if missing
    * `:pool_size` - how many connections there are, 4 if missing
    * `:timeout` - how many milliseconds an operation may take, 5000 if missing
    * `:connect_timeout` - how many milliseconds connecting may take, with TLS and authentication;
      5000 if missing
    * `:backoff_min`, `:backoff_max` - the delay between two attempts to connect, in
      milliseconds; 50 and 2000 if missing
    * `:tls` - `true`, or a list of options of `:ssl` such as `cacertfile:`. The daemon's
      certificate and its name are verified, by the system's authorities where none are given
    * `:user`, `:password` - for daemons that have users. The password may be a function without
      arguments, which is called for each connection: a new password is taken, and none is in the report of a
      supervisor
  """
  @spec start_link(keyword) :: Supervisor.on_start()
  def start_link(opts \\ []) do
    options = Options.new!(opts)
    name = if options.name, do: [name: options.name], else: []
    Supervisor.start_link(__MODULE__, options, name)
  end

  @doc "The specification for a supervisor; its id is the pool's name."
  def child_spec(opts) do
    %{
      id: opts[:name] || __MODULE__,
      start: {__MODULE__, :start_link, [opts]},
      type: :supervisor
    }
  end

  @impl true
  def init(options) do
    :ok = Pool.register(options)
    children = for index <- 1..options.pool_size, do: {Connection, {self(), index, options}}
    Supervisor.init(children, strategy: :one_for_one)
  end

  @doc "Closes all connections."
  @spec stop(cache) :: :ok
  def stop(cache), do: Supervisor.stop(cache)

  # --- writing --------------------------------------------------------------------------------

  @doc "Stores a value in place of any older one."
  @spec put(cache, namespace, key, iodata, [option]) :: :ok | error
  def put(cache, namespace, key, value, opts \\ []) do
    run(cache, {:put, namespace, key, value, opts}, opts)
  end

  @doc "As `put/5`, but raises."
  @spec put!(cache, namespace, key, iodata, [option]) :: :ok
  def put!(cache, namespace, key, value, opts \\ []) do
    bang(put(cache, namespace, key, value, opts))
  end

  @doc """
  Stores several values, all with the same options.

  `pairs` is a map or a list of `{key, value}`. They are sent at once. Where there is an error, it
  is the first, and the other records may have been stored.
  """
  @spec put_many(cache, namespace, Enumerable.t(), [option]) :: :ok | error
  def put_many(cache, namespace, pairs, opts \\ []) do
    calls = for {key, value} <- pairs, do: {:put, namespace, key, value, opts}

    case Enum.find(Enum.map(calls, &Command.new/1), &match?({:error, _}, &1)) do
      nil -> cache |> pipeline(calls, opts) |> Enum.find(:ok, &(&1 != :ok))
      refused -> refused
    end
  end

  @doc "As `put_many/4`, but raises."
  @spec put_many!(cache, namespace, Enumerable.t(), [option]) :: :ok
  def put_many!(cache, namespace, pairs, opts \\ []) do
    bang(put_many(cache, namespace, pairs, opts))
  end

  @doc "Stores a value only where there is no such record; else it is `:exists`."
  @spec add(cache, namespace, key, iodata, [option]) :: :ok | :exists | error
  def add(cache, namespace, key, value, opts \\ []) do
    run(cache, {:add, namespace, key, value, opts}, opts)
  end

  @doc "As `add/5`, but raises."
  @spec add!(cache, namespace, key, iodata, [option]) :: :ok | :exists
  def add!(cache, namespace, key, value, opts \\ []) do
    bang(add(cache, namespace, key, value, opts))
  end

  @doc "Gives a record a new time to live, counted from now."
  @spec touch(cache, namespace, key, [option]) :: :ok | :not_found | error
  def touch(cache, namespace, key, opts \\ []) do
    run(cache, {:touch, namespace, key, opts}, opts)
  end

  @doc "As `touch/4`, but raises."
  @spec touch!(cache, namespace, key, [option]) :: :ok | :not_found
  def touch!(cache, namespace, key, opts \\ []), do: bang(touch(cache, namespace, key, opts))

  @doc """
  Adds to a record whose value is a decimal number of 64 bits; the result is the new value.

  The record keeps the time that it has left.
  """
  @spec incr(cache, namespace, key, non_neg_integer, [option]) ::
          {:ok, non_neg_integer} | :not_found | error
  def incr(cache, namespace, key, by \\ 1, opts \\ []) do
    run(cache, {:incr, namespace, key, by}, opts)
  end

  @doc "As `incr/5`, but raises."
  @spec incr!(cache, namespace, key, non_neg_integer, [option]) :: non_neg_integer | :not_found
  def incr!(cache, namespace, key, by \\ 1, opts \\ []) do
    bang(incr(cache, namespace, key, by, opts))
  end

  @doc "Takes away from a record's number, but stops at 0."
  @spec decr(cache, namespace, key, non_neg_integer, [option]) ::
          {:ok, non_neg_integer} | :not_found | error
  def decr(cache, namespace, key, by \\ 1, opts \\ []) do
    run(cache, {:decr, namespace, key, by}, opts)
  end

  @doc "As `decr/5`, but raises."
  @spec decr!(cache, namespace, key, non_neg_integer, [option]) :: non_neg_integer | :not_found
  def decr!(cache, namespace, key, by \\ 1, opts \\ []) do
    bang(decr(cache, namespace, key, by, opts))
  end

  @doc "Deletes a record."
  @spec delete(cache, namespace, key, [option]) :: :ok | :not_found | error
  def delete(cache, namespace, key, opts \\ []) do
    run(cache, {:delete, namespace, key}, opts)
  end

  @doc "As `delete/4`, but raises."
  @spec delete!(cache, namespace, key, [option]) :: :ok | :not_found
  def delete!(cache, namespace, key, opts \\ []), do: bang(delete(cache, namespace, key, opts))

  @doc "Deletes several records; the result is the list of the keys that were there."
  @spec delete_many(cache, namespace, [key], [option]) :: {:ok, [key]} | error
  def delete_many(cache, namespace, keys, opts \\ []) do
    run(cache, {:delete_many, namespace, keys}, opts)
  end

  @doc "As `delete_many/4`, but raises."
  @spec delete_many!(cache, namespace, [key], [option]) :: [key]
  def delete_many!(cache, namespace, keys, opts \\ []) do
    bang(delete_many(cache, namespace, keys, opts))
  end

  @doc "Forgets all records of a namespace; the result is how many there were."
  @spec flush(cache, namespace, [option]) :: {:ok, non_neg_integer} | error
  def flush(cache, namespace, opts \\ []), do: run(cache, {:flush, namespace}, opts)

  @doc "As `flush/3`, but raises."
  @spec flush!(cache, namespace, [option]) :: non_neg_integer
  def flush!(cache, namespace, opts \\ []), do: bang(flush(cache, namespace, opts))

  # --- reading --------------------------------------------------------------------------------

  @doc "Reads a value."
  @spec get(cache, namespace, key, [option]) :: {:ok, binary} | :not_found | error
  def get(cache, namespace, key, opts \\ []), do: run(cache, {:get, namespace, key}, opts)

  @doc "As `get/4`, but raises."
  @spec get!(cache, namespace, key, [option]) :: binary | :not_found
  def get!(cache, namespace, key, opts \\ []), do: bang(get(cache, namespace, key, opts))

  @doc "Reads several values; keys of which there is no record are not in the map."
  @spec get_many(cache, namespace, [key], [option]) :: {:ok, %{key => binary}} | error
  def get_many(cache, namespace, keys, opts \\ []) do
    run(cache, {:get_many, namespace, keys}, opts)
  end

  @doc "As `get_many/4`, but raises."
  @spec get_many!(cache, namespace, [key], [option]) :: %{key => binary}
  def get_many!(cache, namespace, keys, opts \\ []) do
    bang(get_many(cache, namespace, keys, opts))
  end

  @doc "Says how many milliseconds a record still lives at least, or `:never` if it does not end."
  @spec ttl(cache, namespace, key, [option]) ::
          {:ok, non_neg_integer | :never} | :not_found | error
  def ttl(cache, namespace, key, opts \\ []), do: run(cache, {:ttl, namespace, key}, opts)

  @doc "As `ttl/4`, but raises."
  @spec ttl!(cache, namespace, key, [option]) :: non_neg_integer | :never | :not_found
  def ttl!(cache, namespace, key, opts \\ []), do: bang(ttl(cache, namespace, key, opts))

  @doc """
  Lists the keys of a namespace in no order, or those that match the pattern.

  In a pattern `*` is any bytes, `?` one byte, `[a-z]` one of a set, `\\` before a byte that byte,
  and `\\xNN` the byte of that number. A key that is written again meanwhile may come twice.
  """
  @spec list(cache, namespace, String.t() | nil, [option]) :: {:ok, [key]} | error
  def list(cache, namespace, pattern \\ nil, opts \\ []) do
    run(cache, matching(:list, namespace, pattern), opts)
  end

  @doc "As `list/4`, but raises."
  @spec list!(cache, namespace, String.t() | nil, [option]) :: [key]
  def list!(cache, namespace, pattern \\ nil, opts \\ []) do
    bang(list(cache, namespace, pattern, opts))
  end

  @doc "As `list/4`, with the values."
  @spec all(cache, namespace, String.t() | nil, [option]) :: {:ok, [{key, binary}]} | error
  def all(cache, namespace, pattern \\ nil, opts \\ []) do
    run(cache, matching(:all, namespace, pattern), opts)
  end

  @doc "As `all/4`, but raises."
  @spec all!(cache, namespace, String.t() | nil, [option]) :: [{key, binary}]
  def all!(cache, namespace, pattern \\ nil, opts \\ []) do
    bang(all(cache, namespace, pattern, opts))
  end

  @doc "The daemon's figures, or those of a namespace; kvcached-stats(7) says what they mean."
  @spec stats(cache, namespace | nil, [option]) ::
          {:ok, %{String.t() => String.t()}} | :not_found | error
  def stats(cache, namespace \\ nil, opts \\ [])
  def stats(cache, nil, opts), do: run(cache, {:stats}, opts)
  def stats(cache, namespace, opts), do: run(cache, {:stats, namespace}, opts)

  @doc "As `stats/3`, but raises."
  @spec stats!(cache, namespace | nil, [option]) :: %{String.t() => String.t()} | :not_found
  def stats!(cache, namespace \\ nil, opts \\ []), do: bang(stats(cache, namespace, opts))

  @doc "Asks whether the daemon answers."
  @spec ping(cache, [option]) :: :ok | error
  def ping(cache, opts \\ []), do: run(cache, {:ping}, opts)

  @doc "The daemon's name and version."
  @spec version(cache, [option]) :: {:ok, String.t()} | error
  def version(cache, opts \\ []), do: run(cache, {:version}, opts)

  # --- several --------------------------------------------------------------------------------

  @doc """
  Sends several requests at once over one connection; the result is the list of their results.

  A call is the name of an operation and its arguments, without the cache and the timeout:

      Kvcached.pipeline(Kvcached, [
        {:put, "pages", "index", html, ttl: 60_000},
        {:incr, "counters", "hits"},
        {:get, "sessions", "alice"}
      ])

  There are put, add, touch, incr, decr, delete, delete_many, flush, get, get_many, ttl, list,
  all, stats, ping and version. They are carried out in order, but not as one: requests of others
  may come between them, and those behind an error are carried out.
  """
  @spec pipeline(cache, [tuple], [option]) :: [term]
  def pipeline(cache, calls, opts \\ []) do
    made = Enum.map(calls, &Command.new/1)
    commands = for {:ok, command} <- made, do: command
    results = if commands == [], do: [], else: Pool.run(cache, commands, opts)
    merge(made, results)
  end

  defp merge([{:ok, _} | made], [result | results]), do: [result | merge(made, results)]
  defp merge([{:done, result} | made], results), do: [result | merge(made, results)]
  defp merge([{:error, _} = refused | made], results), do: [refused | merge(made, results)]
  defp merge([], []), do: []

  defp run(cache, call, opts) do
    [result] = pipeline(cache, [call], opts)
    result
  end

  defp matching(verb, namespace, nil), do: {verb, namespace}
  defp matching(verb, namespace, pattern), do: {verb, namespace, pattern}

  defp bang({:error, error}), do: raise(error)
  defp bang({:ok, result}), do: result
  defp bang(result), do: result
end
