defmodule Kvcached.ConnectionTest do
  use ExUnit.Case, async: true

  import Kvcached.Test.Daemon, only: [eventually: 1]

  alias Kvcached.Error
  alias Kvcached.Test.Server

  # A pool of one connection to a server that serves as the function does.
  defp pool(serve, opts \\ []) do
    start(Server.start(serve), opts)
  end

  defp start(port, opts) do
    opts = Keyword.merge([name: nil, port: port, pool_size: 1, backoff_min: 1], opts)
    start_supervised!({Kvcached, opts}, id: make_ref())
  end

  # Tells the test, and waits until it says go on.
  defp meet(test, what) do
    send(test, {what, self()})
    receive do: (:go -> :ok)
  end

  test "requests of many callers are written before the first is answered" do
    test = self()
    request = "GET ns k\r\n"

    cache =
      pool(fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, String.duplicate(request, 100))
        for n <- 1..100, do: Server.reply(socket, "VALUE 3\r\n#{100 + n - 1}\r\n")
        meet(test, :answered)
      end)

    results =
      1..100
      |> Task.async_stream(fn _ -> Kvcached.get!(cache, "ns", "k") end, max_concurrency: 100)
      |> Enum.map(fn {:ok, value} -> value end)

    assert Enum.sort(results) == for(n <- 100..199, do: "#{n}")
  end

  test "a caller that gave up leaves the connection in step" do
    test = self()

    cache =
      pool(fn socket, number ->
        Server.greet(socket)
        send(test, :greeted)
        Server.expect(socket, "GET ns slow\r\n")
        meet(test, {:slow, number})
        Server.reply(socket, "VALUE 4\r\nslow\r\n")
        Server.expect(socket, "GET ns quick\r\n")
        Server.reply(socket, "VALUE 5\r\nquick\r\n")
        Server.await_close(socket)
      end)

    # On a slow machine the time may be over before the request was written.
    assert_receive :greeted, 5_000
    [{1, connection, _, _}] = Supervisor.which_children(cache)
    :sys.get_state(connection)

    assert {:error, %Error{kind: :timeout, done: :no}} =
             Kvcached.get(cache, "ns", "slow", timeout: 200)

    assert_receive {{:slow, 1}, server}, 5_000
    quick = Task.async(fn -> Kvcached.get(cache, "ns", "quick") end)
    send(server, :go)
    assert Task.await(quick) == {:ok, "quick"}
    refute_received _
  end

  test "silence ends the connection, and what writes is not done or it is" do
    test = self()

    cache =
      pool(
        fn socket, number ->
          Server.greet(socket)

          if number == 1 do
            Server.await_close(socket)
            send(test, :closed)
          else
            Server.expect(socket, "GET ns k\r\n")
            Server.reply(socket, "NOT_FOUND\r\n")
            Server.await_close(socket)
          end
        end,
        timeout: 100
      )

    assert {:error, %Error{kind: :timeout, done: :unknown}} = Kvcached.put(cache, "ns", "k", "v")
    assert_receive :closed, 5_000
    assert Kvcached.get(cache, "ns", "k") == :not_found
  end

  test "a read whose reply was lost is sent again, a write is not" do
    test = self()

    serve = fn socket, number ->
      Server.greet(socket)
      request = Server.read(socket)
      send(test, {number, request})

      if number == 1,
        do: Server.reply(socket, "VALUE 5\r\nhel"),
        else: Server.reply(socket, "VALUE 5\r\nhello\r\n")
    end

    assert Kvcached.get(pool(serve), "ns", "k") == {:ok, "hello"}
    assert_received {1, "GET ns k\r\n"}
    assert_received {2, "GET ns k\r\n"}

    serve = fn socket, number ->
      Server.greet(socket)
      request = Server.read(socket)
      send(test, {number, request})
    end

    cache = pool(serve)

    for call <- [{:put, "ns", "k", "v"}, {:delete, "ns", "k"}, {:incr, "ns", "k"}] do
      eventually(fn -> match?([{:error, %{done: :unknown}}], Kvcached.pipeline(cache, [call])) end)

      assert_received {_, _}
      refute_received {_, _}
    end

    # Neither is a pipeline in which something writes.
    calls = [{:get, "ns", "k"}, {:put, "ns", "k", "v"}]

    eventually(fn ->
      match?(
        [{:error, %{done: :no}}, {:error, %{done: :unknown}}],
        Kvcached.pipeline(cache, calls)
      )
    end)

    assert_received {_, _}
    refute_received {_, _}
  end

  test "what was answered of a pipeline is known, also where the connection broke" do
    cache =
      pool(fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, "PUT ns k - 1\r\nv\r\nDEL ns k\r\nGET ns k\r\n")
        Server.reply(socket, "STORED\r\nDELE")
      end)

    assert [
             :ok,
             {:error, %Error{kind: :closed, done: :unknown}},
             {:error, %Error{kind: :closed, done: :no}}
           ] =
             Kvcached.pipeline(cache, [
               {:put, "ns", "k", "v"},
               {:delete, "ns", "k"},
               {:get, "ns", "k"}
             ])
  end

  test "garbage ends the connection, and nothing behind it is believed" do
    test = self()

    cache =
      pool(fn socket, number ->
        Server.greet(socket)
        Server.read(socket)

        if number == 1 do
          Server.reply(socket, "garbage\r\nSTORED\r\nSTORED\r\n")
          Server.await_close(socket)
          send(test, :closed)
        else
          Server.reply(socket, "STORED\r\n")
        end
      end)

    assert {:error, %Error{kind: :protocol, done: :unknown}} = Kvcached.put(cache, "ns", "k", "v")
    assert_receive :closed, 5_000
    assert Kvcached.put(cache, "ns", "k", "v") == :ok
  end

  test "a line without an end is not collected for ever" do
    cache =
      pool(fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, "INCR ns k 1\r\n")
        :gen_tcp.send(socket, String.duplicate("x", 70_000))
        Server.await_close(socket)
      end)

    assert {:error, %Error{kind: :protocol}} = Kvcached.incr(cache, "ns", "k")
  end

  test "bytes that were not asked for end the connection" do
    test = self()

    cache =
      pool(fn socket, number ->
        Server.greet(socket)
        meet(test, {:greeted, number})
        if number == 1, do: Server.reply(socket, "STORED\r\n")
        Server.await_close(socket)
        send(test, {:closed, number})
      end)

    assert_receive {{:greeted, 1}, server}, 5_000
    send(server, :go)
    assert_receive {:closed, 1}, 5_000
    assert_receive {{:greeted, 2}, _}, 5_000
    assert Process.alive?(cache)
  end

  test "a server that is not there, and then is" do
    {:ok, listener} = :gen_tcp.listen(0, ip: {127, 0, 0, 1}, reuseaddr: true)
    {:ok, port} = :inet.port(listener)
    :gen_tcp.close(listener)
    cache = start(port, backoff_max: 20)

    assert {:error, %Error{kind: :closed, done: :no, message: text}} =
             Kvcached.put(cache, "ns", "k", "v")

    assert text =~ "connection refused"

    Server.start(
      fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, "PING\r\n")
        Server.reply(socket, "PONG\r\n")
        Server.await_close(socket)
      end,
      port
    )

    eventually(fn -> Kvcached.ping(cache) == :ok end)
  end

  test "a server that takes no connection any more says so" do
    serve = fn socket, _ -> Server.reply(socket, "SERVER_ERROR too many connections\r\n") end
    assert {:error, %Error{kind: :server, message: text}} = Kvcached.ping(pool(serve))
    assert text == "too many connections"
  end

  test "a server that never answers the first request" do
    serve = fn socket, _ -> Server.await_close(socket) end
    cache = pool(serve, connect_timeout: 50)
    assert {:error, %Error{kind: :closed, done: :no}} = Kvcached.ping(cache)
  end

  test "a request whose time was over before there was a connection is not sent" do
    test = self()

    cache =
      pool(fn socket, _ ->
        meet(test, :connected)
        Server.greet(socket)
        first = Server.read(socket)
        send(test, {:first, first})
        Server.reply(socket, "PONG\r\n")
        Server.await_close(socket)
      end)

    assert_receive {:connected, server}, 5_000

    assert {:error, %Error{kind: :timeout}} = Kvcached.put(cache, "ns", "k", "v", timeout: 10)

    send(server, :go)
    assert Kvcached.ping(cache) == :ok
    assert_received {:first, "PING\r\n"}
  end

  test "a pool goes on over the connections that it has" do
    test = self()

    cache =
      pool(
        fn socket, number ->
          if number == 1, do: meet(test, :first)
          for _ <- 1..100, do: Server.greet(socket)
        end,
        pool_size: 3
      )

    assert_receive {:first, _}, 5_000
    eventually(fn -> Kvcached.ping(cache, timeout: 100) == :ok end)
    for _ <- 1..20, do: assert(Kvcached.ping(cache) == :ok)
  end

  test "a connection's process that was killed is replaced" do
    cache =
      pool(fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, "PING\r\n")
        Server.reply(socket, "PONG\r\n")
        Server.await_close(socket)
      end)

    assert Kvcached.ping(cache) == :ok
    [{1, connection, :worker, _}] = Supervisor.which_children(cache)
    Process.exit(connection, :kill)
    eventually(fn -> Kvcached.ping(cache) == :ok end)
  end

  test "a server that says more than it was asked" do
    serve = fn socket, _ ->
      Server.expect(socket, "PING\r\n")
      Server.reply(socket, "PONG\r\nPONG\r\n")
      Server.await_close(socket)
    end

    cache = pool(serve)
    assert {:error, %Error{kind: :protocol, done: :no}} = Kvcached.put(cache, "ns", "k", "v")
  end

  # Half of each delay is by chance.
  for {what, greets} <- [{"refuses", false}, {"greets, and closes", true}] do
    test "the delay between attempts grows, where a server #{what}" do
      {:ok, times} = Agent.start_link(fn -> [] end)

      pool(
        fn socket, _ ->
          Agent.update(times, &[System.monotonic_time(:millisecond) | &1])
          if unquote(greets), do: Server.greet(socket)
        end,
        backoff_min: 10,
        backoff_max: 200
      )

      eventually(fn -> times |> Agent.get(&length/1) >= 6 end)
      times = times |> Agent.get(& &1) |> Enum.reverse()
      delays = Enum.zip_with(tl(times), times, &(&1 - &2))
      assert [_, second, third, fourth, fifth | _] = delays
      assert second >= 9 and third >= 19 and fourth >= 39 and fifth >= 79
    end
  end
end
