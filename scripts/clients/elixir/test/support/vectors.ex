defmodule Kvcached.Test.Vectors do
  @moduledoc false

  # vectors.txt, which all clients share and which says itself what is in it.

  @doc "The vectors; texts as binaries, calls as `Kvcached.pipeline/3` has them."
  def read do
    System.fetch_env!("KVCACHED_VECTORS")
    |> File.read!()
    |> String.split("\n")
    |> Enum.reject(&String.starts_with?(&1, "#"))
    |> Enum.chunk_by(&(&1 == ""))
    |> Enum.reject(&(hd(&1) == ""))
    |> Enum.map(&vector/1)
  end

  defp vector(lines) do
    fields =
      for line <- lines do
        [name, text] = String.split(line, ": ", parts: 2)
        {name, text}
      end

    calls = for {"call", text} <- fields, do: call(words(text))
    results = for {"result", text} <- fields, do: words(text)

    %{
      name: one(fields, "name"),
      given: joined(fields, "given"),
      send: joined(fields, "send"),
      reply: joined(fields, "reply"),
      closed: one(fields, "then") == "closed",
      daemon: one(fields, "daemon"),
      calls: calls,
      results: Enum.zip_with(calls, results, &result/2)
    }
  end

  defp one(fields, name), do: Enum.find_value(fields, fn {n, text} -> n == name && text end)

  defp joined(fields, name) do
    for {^name, text} <- fields, [{:string, bytes}] = words(text), into: "", do: bytes
  end

  # --- words ----------------------------------------------------------------------------------

  defp words(""), do: []
  defp words(" " <> rest), do: words(rest)

  defp words("\"" <> rest) do
    {bytes, rest} = string(rest, "")
    [{:string, bytes} | words(rest)]
  end

  defp words(text) do
    [word | rest] = String.split(text, " ", parts: 2)
    [word | words(Enum.join(rest))]
  end

  defp string("\"" <> rest, bytes), do: {bytes, rest}
  defp string("\\r" <> rest, bytes), do: string(rest, bytes <> "\r")
  defp string("\\n" <> rest, bytes), do: string(rest, bytes <> "\n")
  defp string("\\t" <> rest, bytes), do: string(rest, bytes <> "\t")
  defp string("\\\"" <> rest, bytes), do: string(rest, bytes <> "\"")
  defp string("\\\\" <> rest, bytes), do: string(rest, bytes <> "\\")

  defp string(<<"\\x", hex::binary-size(2), rest::binary>>, bytes),
    do: string(rest, bytes <> Base.decode16!(hex, case: :mixed))

  defp string(<<c, rest::binary>>, bytes) when c != ?\\, do: string(rest, <<bytes::binary, c>>)

  # --- calls ----------------------------------------------------------------------------------

  defp call([name | words]) do
    strings = for {:string, bytes} <- words, do: bytes
    call(name, strings, for(word <- words, is_binary(word), do: option(word)))
  end

  defp call(name, [ns, key, value], opts) when name in ["put", "add"],
    do: {String.to_atom(name), ns, key, value, opts}

  defp call("put_many", [ns | pairs], opts) do
    {:put_many, ns, for([key, value] <- Enum.chunk_every(pairs, 2), do: {key, value}), opts}
  end

  defp call("get_many", [ns | keys], []), do: {:get_many, ns, keys}
  defp call("delete_many", [ns | keys], []), do: {:delete_many, ns, keys}
  defp call("touch", [ns, key], opts), do: {:touch, ns, key, opts}
  defp call("incr", [ns, key], opts), do: {:incr, ns, key, opts[:by] || 1}
  defp call("decr", [ns, key], opts), do: {:decr, ns, key, opts[:by] || 1}
  defp call("ping", [], []), do: {:ping}
  defp call("auth", [user, secret], []), do: {:auth, user, secret}

  defp call(name, strings, []) when name in ~w(get delete ttl list all flush stats version),
    do: List.to_tuple([String.to_atom(name) | strings])

  defp option("ttl=never"), do: {:ttl, :never}
  defp option("ttl=" <> number), do: {:ttl, String.to_integer(number)}
  defp option("flags=" <> number), do: {:flags, String.to_integer(number)}
  defp option("by=" <> number), do: {:by, String.to_integer(number)}

  # --- results --------------------------------------------------------------------------------

  defp result(_, ["ok"]), do: :ok
  defp result(_, ["true"]), do: :ok
  defp result(call, ["false"]), do: if(elem(call, 0) == :add, do: :exists, else: :not_found)
  defp result(_, ["not_found"]), do: :not_found
  defp result(_, ["value", {:string, bytes}]), do: {:ok, bytes}
  defp result(_, ["text", {:string, bytes}]), do: {:ok, bytes}
  defp result(_, ["number", number]), do: {:ok, String.to_integer(number)}
  defp result(_, ["ttl", "never"]), do: {:ok, :never}
  defp result(_, ["ttl", number]), do: {:ok, String.to_integer(number)}
  defp result(_, ["list" | keys]), do: {:ok, for({:string, key} <- keys, do: key)}
  defp result(_, ["records" | words]), do: {:ok, pairs(words)}
  defp result(_, ["pairs" | words]), do: {:ok, words |> pairs() |> Map.new()}

  defp result({:get_many, _, keys}, ["values" | values]) do
    {:ok, for({key, {:string, value}} <- Enum.zip(keys, values), into: %{}, do: {key, value})}
  end

  defp result({:delete_many, _, keys}, ["flags" | flags]) do
    {:ok, for({key, "true"} <- Enum.zip(keys, flags), do: key)}
  end

  defp result(_, ["error", kind]), do: {:error, String.to_atom(kind), nil}
  defp result(_, ["error", kind, {:string, text}]), do: {:error, String.to_atom(kind), text}

  defp pairs(words) do
    for [{:string, a}, {:string, b}] <- Enum.chunk_every(words, 2), do: {a, b}
  end

  # --- comparing ------------------------------------------------------------------------------

  @doc "Whether a result is the expected one."
  def same?({:error, %Kvcached.Error{kind: kind}}, {:error, kind, nil}), do: true

  def same?({:error, %Kvcached.Error{kind: kind, message: text}}, {:error, kind, text}),
    do: true

  def same?(result, expected), do: result == expected
end
