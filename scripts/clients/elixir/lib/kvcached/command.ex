defmodule Kvcached.Command do
  @moduledoc false

  # One request of the protocol: its bytes, the shape of its reply, and what the reply means to
  # the caller. `read?` says that the request changes nothing, so that it may be sent again.

  alias Kvcached.{Error, Words}

  @enforce_keys [:data, :shape, :decode]
  defstruct [:data, :shape, :decode, read?: false]

  @type t :: %__MODULE__{
          data: iodata,
          shape: Kvcached.Pipeline.shape(),
          decode: ([Kvcached.Reply.item()] -> term),
          read?: boolean
        }

  @doc """
  Makes a command of a name and its arguments, the last of which may be options.

  What needs not be sent is `{:done, result}`.
  """
  @spec new(tuple) :: {:ok, t} | {:done, term} | {:error, Error.t()}
  def new({:put, ns, key, value}), do: new({:put, ns, key, value, []})
  def new({:put, ns, key, value, opts}), do: store("PUT", ns, key, value, opts, [:stored])
  def new({:add, ns, key, value}), do: new({:add, ns, key, value, []})

  def new({:add, ns, key, value, opts}),
    do: store("ADD", ns, key, value, opts, [:stored, :exists])

  def new({:get, ns, key}), do: get(ns, [key], fn [item] -> value(item) end)
  def new({:get_many, _, []}), do: {:done, {:ok, %{}}}
  def new({:get_many, ns, keys}), do: get(ns, keys, &found(keys, &1))
  def new({:delete, ns, key}), do: delete(ns, [key], fn [item] -> present(item) end)
  def new({:delete_many, _, []}), do: {:done, {:ok, []}}
  def new({:delete_many, ns, keys}), do: delete(ns, keys, &deleted(keys, &1))
  def new({:touch, ns, key}), do: new({:touch, ns, key, []})
  def new({:touch, ns, key, opts}), do: touch(ns, key, opts)
  def new({:ttl, ns, key}), do: ttl(ns, key)
  def new({:incr, ns, key}), do: new({:incr, ns, key, 1})
  def new({:incr, ns, key, by}), do: count("INCR", ns, key, by)
  def new({:decr, ns, key}), do: new({:decr, ns, key, 1})
  def new({:decr, ns, key, by}), do: count("DECR", ns, key, by)
  def new({:list, ns}), do: listing("LIST", ns, nil, :key, &keys/1)
  def new({:list, ns, pattern}), do: listing("LIST", ns, pattern, :key, &keys/1)
  def new({:all, ns}), do: listing("ALL", ns, nil, :record, &records/1)
  def new({:all, ns, pattern}), do: listing("ALL", ns, pattern, :record, &records/1)
  def new({:flush, ns}), do: flush(ns)
  def new({:stats}), do: {:ok, stats("STATS\r\n")}

  def new({:stats, ns}) do
    with {:ok, ns} <- Words.namespace(ns), do: {:ok, stats(["STATS ", ns, "\r\n"])}
  end

  def new({:ping}), do: {:ok, line("PING\r\n", [:pong], fn [:pong] -> :ok end, true)}

  def new({:version}) do
    {:ok, line("VERSION\r\n", [:version], fn [{:version, text}] -> {:ok, text} end, true)}
  end

  @doc "The request with which a connection begins, and no other may have."
  @spec auth(String.t(), String.t()) :: {:ok, t} | {:error, Error.t()}
  def auth(user, secret) do
    with {:ok, user} <- Words.plain(user, "user"),
         {:ok, secret} <- Words.plain(secret, "password") do
      {:ok, line(["AUTH ", user, " ", secret, "\r\n"], [:ok, :denied], &auth/1, true)}
    end
  end

  @doc "What a result means to the caller."
  @spec decode(t, Kvcached.Pipeline.result()) :: term
  def decode(command, {:ok, items}), do: command.decode.(items)

  def decode(command, {:error, kind, text}) do
    done = if unsure?(kind) and not command.read?, do: :unknown, else: :no
    {:error, %Error{kind: kind, message: text, done: done}}
  end

  defp unsure?(kind), do: kind in [:protocol, :closed, :timeout]

  # --- the requests ---------------------------------------------------------------------------

  defp store(verb, ns, key, value, opts, tags) do
    with {:ok, ns} <- Words.namespace(ns),
         {:ok, key} <- Words.key(key),
         {:ok, ttl} <- Words.ttl(opts[:ttl]),
         {:ok, flags} <- Words.flags(opts[:flags] || 0) do
      size = value |> IO.iodata_length() |> Integer.to_string()
      words = [verb, " ", ns, " ", key, " ", ttl, " ", size, flags, "\r\n"]
      {:ok, line([words, value, "\r\n"], tags, &stored/1, false)}
    end
  end

  defp get(ns, keys, decode) do
    with {:ok, ns} <- Words.namespace(ns), {:ok, words} <- Words.keys(keys) do
      shape = {:lines, length(keys), [:value, :not_found]}
      {:ok, command(["GET ", ns, words, "\r\n"], shape, decode, true)}
    end
  end

  defp delete(ns, keys, decode) do
    with {:ok, ns} <- Words.namespace(ns), {:ok, words} <- Words.keys(keys) do
      shape = {:lines, length(keys), [:deleted, :not_found]}
      {:ok, command(["DEL ", ns, words, "\r\n"], shape, decode, false)}
    end
  end

  defp touch(ns, key, opts) do
    with {:ok, ns} <- Words.namespace(ns),
         {:ok, key} <- Words.key(key),
         {:ok, ttl} <- Words.ttl(opts[:ttl]) do
      data = ["TOUCH ", ns, " ", key, " ", ttl, "\r\n"]
      {:ok, line(data, [:touched, :not_found], fn [item] -> present(item) end, false)}
    end
  end

  defp ttl(ns, key) do
    with {:ok, ns} <- Words.namespace(ns), {:ok, key} <- Words.key(key) do
      data = ["TTL ", ns, " ", key, "\r\n"]
      {:ok, line(data, [:ttl, :not_found], fn [item] -> value(item) end, true)}
    end
  end

  defp count(verb, ns, key, by) do
    with {:ok, ns} <- Words.namespace(ns),
         {:ok, key} <- Words.key(key),
         {:ok, by} <- Words.number(by) do
      data = [verb, " ", ns, " ", key, " ", by, "\r\n"]
      {:ok, line(data, [:number, :not_found], fn [item] -> value(item) end, false)}
    end
  end

  defp listing(verb, ns, pattern, tag, decode) do
    with {:ok, ns} <- Words.namespace(ns), {:ok, word} <- pattern(pattern) do
      {:ok, command([verb, " ", ns, word, "\r\n"], {:listing, [tag], []}, decode, true)}
    end
  end

  defp pattern(nil), do: {:ok, ""}

  defp pattern(pattern) do
    with {:ok, word} <- Words.plain(pattern, "pattern"), do: {:ok, [" ", word]}
  end

  defp flush(ns) do
    with {:ok, ns} <- Words.namespace(ns) do
      {:ok, line(["FLUSH ", ns, "\r\n"], [:flushed], fn [{_, n}] -> {:ok, n} end, false)}
    end
  end

  defp stats(data), do: command(data, {:listing, [:stat], [:not_found]}, &figures/1, true)

  defp line(data, tags, decode, read?), do: command(data, {:lines, 1, tags}, decode, read?)

  defp command(data, shape, decode, read?) do
    %__MODULE__{data: data, shape: shape, decode: decode, read?: read?}
  end

  # --- what the replies mean ------------------------------------------------------------------

  defp stored([:stored]), do: :ok
  defp stored([:exists]), do: :exists

  defp auth([:ok]), do: :ok
  defp auth([:denied]), do: {:error, %Error{kind: :denied, message: "user or password is wrong"}}

  defp value(:not_found), do: :not_found
  defp value({_, value}), do: {:ok, value}

  defp present(:not_found), do: :not_found
  defp present(_), do: :ok

  defp found(keys, items) do
    {:ok, for({key, {:value, value}} <- Enum.zip(keys, items), into: %{}, do: {key, value})}
  end

  defp deleted(keys, items) do
    {:ok, for({key, :deleted} <- Enum.zip(keys, items), do: key)}
  end

  defp keys(items), do: {:ok, Enum.map(items, fn {:key, key} -> key end)}
  defp records(items), do: {:ok, Enum.map(items, fn {:record, key, value} -> {key, value} end)}

  defp figures([:not_found]), do: :not_found
  defp figures(items), do: {:ok, Map.new(items, fn {:stat, name, value} -> {name, value} end)}
end
