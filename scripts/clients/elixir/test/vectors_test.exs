defmodule Kvcached.VectorsTest do
  use ExUnit.Case, async: true

  alias Kvcached.{Command, Pipeline}
  alias Kvcached.Test.{Daemon, Server, Vectors}

  @vectors Vectors.read()

  test "there are vectors" do
    assert length(@vectors) > 90
    assert Enum.any?(@vectors, & &1.closed)
  end

  for vector <- @vectors do
    @vector vector

    test "#{vector.name}: the bytes that are sent" do
      assert IO.iodata_to_binary(for {:ok, c} <- made(@vector), do: c.data) == @vector.send
    end

    test "#{vector.name}: the reply whole, cut and ended at each byte" do
      size = byte_size(@vector.reply)
      expect(@vector, whole(@vector, [@vector.reply]), "whole")

      for at <- 1..(size - 1)//1 do
        <<first::binary-size(at), rest::binary>> = @vector.reply
        expect(@vector, whole(@vector, [first, rest]), "cut at #{at}")
        expect_less(@vector, first)
      end

      expect(@vector, whole(@vector, for(<<c <- @vector.reply>>, do: <<c>>)), "byte by byte")
    end
  end

  # "auth" is no operation of a pool, but how its connections begin.
  @operations Enum.reject(@vectors, &match?([{:auth, _, _} | _], &1.calls))

  for vector <- @operations do
    @vector vector

    test "#{vector.name}: from a server over TCP" do
      vector = @vector

      port =
        Server.start(fn socket, _ ->
          Server.greet(socket)
          Server.expect(socket, vector.send)
          Server.reply(socket, vector.reply)
          unless vector.closed, do: Server.await_close(socket)
        end)

      cache = start_supervised!({Kvcached, name: nil, port: port, pool_size: 1})
      expect(vector, perform(cache, vector.calls), "from a server")
    end
  end

  for vector <- @operations, vector.daemon == nil, way <- Daemon.ways() -- [:users, :users_tls] do
    @vector vector
    @way way

    test "#{vector.name}: from a daemon, #{way}" do
      cache = Daemon.start(@way)
      Daemon.tell(@vector.given)
      expect(@vector, perform(cache, @vector.calls), "from a daemon")
    end
  end

  for vector <- @vectors, vector.daemon == "users" or elem(hd(vector.calls), 0) == :auth do
    @vector vector

    test "#{vector.name}: from a daemon with users" do
      {login, call} =
        case hd(@vector.calls) do
          {:auth, user, password} -> {[user: user, password: password], {:ping}}
          call -> {[], call}
        end

      cache = Daemon.start(:anonymous, login)
      expect(@vector, perform(cache, [call]), "from a daemon")
    end
  end

  # --- calls ----------------------------------------------------------------------------------

  # The commands of a call; put_many has one for each pair.
  defp made(vector), do: Enum.flat_map(vector.calls, &made_of/1)

  defp made_of({:auth, user, password}), do: [Command.auth(user, password)]

  defp made_of({:put_many, ns, pairs, opts}) do
    for {key, value} <- pairs, do: Command.new({:put, ns, key, value, opts})
  end

  defp made_of(call), do: [Command.new(call)]

  # What the calls result in when these pieces come.
  defp whole(vector, pieces) do
    commands = for {:ok, command} <- made(vector), do: command
    results = if commands == [], do: [], else: answers(vector, commands, pieces)
    gather(vector.calls, results)
  end

  defp answers(vector, commands, pieces) do
    pipeline = Pipeline.push(Pipeline.new(), :vector, Enum.map(commands, & &1.shape))
    {outcome, done, pipeline} = feed(pipeline, pieces, [])

    case {done, outcome} do
      {[{:vector, results}], :ok} ->
        assert Pipeline.idle?(pipeline)
        results

      {[], :error} ->
        closed(pipeline, {:protocol, "none"})

      {[], :ok} ->
        assert vector.closed or vector.daemon == "no"
        closed(pipeline, {:closed, "closed"})
    end
    |> then(&Enum.zip_with(commands, &1, fn c, r -> Command.decode(c, r) end))
  end

  defp feed(pipeline, [piece | pieces], done) do
    case Pipeline.feed(pipeline, piece) do
      {:ok, more, pipeline} -> feed(pipeline, pieces, done ++ more)
      {:error, more, pipeline} -> {:error, done ++ more, pipeline}
    end
  end

  defp feed(pipeline, [], done), do: {:ok, done, pipeline}

  defp closed(pipeline, why) do
    [{:vector, results}] = Pipeline.close(pipeline, why, {:closed, "closed"})
    results
  end

  # One result for each call.
  defp gather([{:put_many, _, pairs, _} | calls], results) do
    {mine, rest} = Enum.split(results, length(pairs))
    [Enum.find(mine, :ok, &(&1 != :ok)) | gather(calls, rest)]
  end

  defp gather([call | calls], results) do
    case made_of(call) do
      [{:ok, _}] -> [hd(results) | gather(calls, tl(results))]
      [{:done, result}] -> [result | gather(calls, results)]
      [{:error, _} = refused] -> [refused | gather(calls, results)]
    end
  end

  defp gather([], []), do: []

  # By the functions of the client.
  defp perform(cache, [{:put_many, ns, pairs, opts}]) do
    [Kvcached.put_many(cache, ns, pairs, opts)]
  end

  defp perform(cache, [{:stats}]), do: [Kvcached.stats(cache)]

  defp perform(cache, [call]) do
    [name | arguments] = Tuple.to_list(call)
    [apply(Kvcached, name, [cache | arguments])]
  end

  defp perform(cache, calls), do: Kvcached.pipeline(cache, calls)

  # --- comparing ------------------------------------------------------------------------------

  defp expect(vector, results, how) do
    assert length(results) == length(vector.results)

    for {result, expected} <- Enum.zip(results, vector.results) do
      assert Vectors.same?(result, expected),
             "#{how}: #{inspect(result)} in place of #{inspect(expected)}"
    end
  end

  # The reply ended: each command has its result, or the connection was closed before it had. Of
  # a reply that is broken it may be known already.
  defp expect_less(vector, first) do
    results = results_of(vector, first)
    kinds = for {:error, %{kind: kind}} when kind in [:closed, :protocol] <- results, do: kind
    broken = Enum.any?(vector.results, &match?({:error, :protocol, _}, &1))

    assert kinds != [], "ended after #{byte_size(first)}: it was complete"
    assert broken or :protocol not in kinds

    for {result, expected} <- Enum.zip(gather(vector.calls, results), vector.results) do
      assert Vectors.same?(result, expected) or
               match?({:error, %{kind: kind}} when kind in [:closed, :protocol], result),
             "ended after #{byte_size(first)}: #{inspect(result)}"
    end
  end

  defp results_of(vector, first) do
    commands = for {:ok, command} <- made(vector), do: command
    pipeline = Pipeline.push(Pipeline.new(), :vector, Enum.map(commands, & &1.shape))

    results =
      case Pipeline.feed(pipeline, first) do
        {:ok, [{:vector, results}], _} -> results
        {:ok, [], pipeline} -> closed(pipeline, {:closed, "closed"})
        {:error, [], pipeline} -> closed(pipeline, {:protocol, "none"})
      end

    Enum.zip_with(commands, results, &Command.decode/2)
  end
end
