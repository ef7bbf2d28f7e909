defmodule KvcachedTest do
  use ExUnit.Case, async: true

  import Kvcached.Test.Daemon, only: [eventually: 1, namespace: 0]

  alias Kvcached.Error
  alias Kvcached.Test.Daemon

  for way <- Daemon.ways() do
    describe "by #{way}:" do
      @describetag way: way
      setup %{way: way}, do: {:ok, cache: Daemon.start(way), ns: namespace()}

      test "put, get, delete", %{cache: cache, ns: ns} do
        assert Kvcached.get(cache, ns, "k") == :not_found
        assert Kvcached.put(cache, ns, "k", ["he", ?l, "lo"]) == :ok
        assert Kvcached.get(cache, ns, "k") == {:ok, "hello"}
        assert Kvcached.delete(cache, ns, "k") == :ok
        assert Kvcached.delete(cache, ns, "k") == :not_found
        assert Kvcached.get!(cache, ns, "k") == :not_found
      end

      test "every byte as key and as value", %{cache: cache, ns: ns} do
        for byte <- 0..255, bytes <- [<<byte>>, <<"x", byte, "y">>] do
          assert Kvcached.put(cache, ns, bytes, bytes) == :ok
          assert Kvcached.get(cache, ns, bytes) == {:ok, bytes}
        end

        assert length(Kvcached.list!(cache, ns)) == 512
        assert Enum.all?(Kvcached.all!(cache, ns), fn {key, value} -> key == value end)
      end

      test "many", %{cache: cache, ns: ns} do
        pairs = for n <- 1..2000, do: {"key #{n}", "value #{n}"}
        keys = Enum.map(pairs, &elem(&1, 0))

        assert Kvcached.put_many(cache, ns, pairs, ttl: 60_000) == :ok
        assert Kvcached.get_many(cache, ns, ["none" | keys]) == {:ok, Map.new(pairs)}
        assert cache |> Kvcached.all!(ns) |> Enum.sort() == Enum.sort(pairs)
        assert cache |> Kvcached.list!(ns, "key\\x20199?") |> length() == 10
        assert Kvcached.delete_many(cache, ns, ["none", "key 1"]) == {:ok, ["key 1"]}
        assert Kvcached.flush(cache, ns) == {:ok, 1999}
        assert Kvcached.list(cache, ns) == {:ok, []}
      end

      test "add, incr, decr", %{cache: cache, ns: ns} do
        assert Kvcached.add(cache, ns, "n", "5") == :ok
        assert Kvcached.add(cache, ns, "n", "6") == :exists
        assert Kvcached.incr(cache, ns, "n") == {:ok, 6}
        assert Kvcached.incr!(cache, ns, "n", 10) == 16
        assert Kvcached.decr(cache, ns, "n", 100) == {:ok, 0}
        assert Kvcached.incr(cache, ns, "none") == :not_found
      end

      test "records expire", %{cache: cache, ns: ns} do
        :ok = Kvcached.put(cache, ns, "short", "x", ttl: 30)
        :ok = Kvcached.put(cache, ns, "long", "x", ttl: 60_000)
        :ok = Kvcached.put(cache, ns, "never", "x", ttl: :never)
        eventually(fn -> Kvcached.get(cache, ns, "short") == :not_found end)
        assert Kvcached.ttl!(cache, ns, "long") in 1..60_000
        assert Kvcached.ttl!(cache, ns, "never") == :never
        assert Kvcached.ttl(cache, ns, "short") == :not_found

        assert Kvcached.touch(cache, ns, "never", ttl: 0.2) == :ok
        eventually(fn -> Kvcached.get(cache, ns, "never") == :not_found end)
        assert Kvcached.touch(cache, ns, "never") == :not_found
        assert {:error, %Error{kind: :argument}} = Kvcached.put(cache, ns, "k", "v", ttl: 0)
      end

      test "values that are larger than the buffers", %{cache: cache, ns: ns} do
        value = :crypto.strong_rand_bytes(1_000_000)
        assert Kvcached.put(cache, ns, "k", value) == :ok
        assert Kvcached.get(cache, ns, "k") == {:ok, value}
        assert {:error, %Error{kind: :client}} = Kvcached.put(cache, ns, "k", value <> value)
        assert Kvcached.get(cache, ns, "k") == {:ok, value}
      end

      # Neither side takes more before the other has taken what it sent.
      test "more in both directions than all buffers hold", %{cache: cache, ns: ns} do
        value = :crypto.strong_rand_bytes(200_000)
        calls = for _ <- 1..100, call <- [{:put, ns, "k", value}, {:get, ns, "k"}], do: call
        results = Kvcached.pipeline(cache, calls, timeout: 60_000)
        assert results == for(_ <- 1..100, result <- [:ok, {:ok, value}], do: result)
      end

      test "many callers", %{cache: cache, ns: ns} do
        1..200
        |> Task.async_stream(
          fn n ->
            for round <- 1..20 do
              :ok = Kvcached.put(cache, ns, "#{n}", "#{n}.#{round}")
              assert Kvcached.get(cache, ns, "#{n}") == {:ok, "#{n}.#{round}"}
            end
          end,
          max_concurrency: 200
        )
        |> Stream.run()
      end

      test "stats, ping, version", %{cache: cache, ns: ns} do
        assert Kvcached.ping(cache) == :ok
        assert {:ok, "kvcached " <> _} = Kvcached.version(cache)
        assert %{"version" => _} = Kvcached.stats!(cache)
        assert Kvcached.stats(cache, ns) == :not_found
        :ok = Kvcached.put(cache, ns, "k", "v")
        assert %{"items" => "1"} = Kvcached.stats!(cache, ns)
      end
    end
  end

  describe "users:" do
    test "a wrong password" do
      cache = Daemon.start(:anonymous, user: "all", password: "wrong")
      assert {:error, %Error{kind: :denied, done: :no}} = Kvcached.ping(cache)
    end

    test "no user" do
      cache = Daemon.start(:anonymous)
      assert {:error, %Error{kind: :client}} = Kvcached.put(cache, "ns", "k", "v")
    end

    test "a user that may only read" do
      cache = Daemon.start(:reader)
      assert Kvcached.get(cache, namespace(), "k") == :not_found
      assert {:error, %Error{kind: :client}} = Kvcached.put(cache, namespace(), "k", "v")
      assert_raise Error, fn -> Kvcached.flush!(cache, namespace()) end
    end

    test "the password is in no state and no specification" do
      secret = System.fetch_env!("KVCACHED_PASSWORD")
      cache = Daemon.start(:users, pool_size: 1)
      [{1, connection, :worker, _}] = Supervisor.which_children(cache)

      for shown <- [:sys.get_state(cache), :sys.get_state(connection)] do
        refute inspect(shown, limit: :infinity, printable_limit: :infinity) =~ secret
      end

      {:ok, child} = :supervisor.get_childspec(cache, 1)
      refute inspect(child, limit: :infinity) =~ secret
    end
  end

  if :tls in Daemon.ways() do
    describe "TLS:" do
      test "an authority that is not known" do
        cache = Daemon.start(:tls, tls: true)
        assert {:error, %Error{kind: :closed, message: text}} = Kvcached.ping(cache)
        assert text =~ "TLS"
      end

      test "a name that is not the certificate's" do
        [tls: tls] = Keyword.take(Daemon.options(:tls), [:tls])
        tls = [server_name_indication: ~c"cache.example.net"] ++ tls
        cache = Daemon.start(:tls, tls: tls)
        assert {:error, %Error{kind: :closed, message: text}} = Kvcached.ping(cache)
        assert text =~ "hostname_check_failed"
      end

      test "a name of the host that is not the certificate's" do
        :inet_db.add_host({127, 0, 0, 1}, [~c"kvcached.test"])
        :inet_db.set_lookup([:file, :native])
        on_exit(fn -> :inet_db.set_lookup([:native]) end)
        cache = Daemon.start(:tls, host: "kvcached.test")
        assert {:error, %Error{kind: :closed, message: text}} = Kvcached.ping(cache)
        assert text =~ "hostname_check_failed"
      end

      test "a name, and an address" do
        for host <- ["localhost", "127.0.0.1", {127, 0, 0, 1}] do
          opts = Keyword.merge(Daemon.options(:tls), name: nil, host: host)
          {:ok, cache} = Kvcached.start_link(opts)
          assert Kvcached.ping(cache) == :ok
          Kvcached.stop(cache)
        end
      end

      test "without TLS, to a listener with it; and the other way" do
        cache = Daemon.start(:tls, tls: false)
        assert {:error, %Error{kind: :closed}} = Kvcached.ping(cache)
        [port: port] = Keyword.take(Daemon.options(:tcp), [:port])
        {:ok, cache} = Kvcached.start_link(name: nil, port: port, tls: [verify: :verify_none])
        assert {:error, %Error{kind: :closed}} = Kvcached.ping(cache)
      end
    end
  end

  test "a key has 1024 bytes as it is sent" do
    cache = Daemon.start(:tcp)
    ns = namespace()

    for key <- [String.duplicate("k", 1024), String.duplicate(" ", 256)] do
      assert Kvcached.put(cache, ns, key, "v") == :ok
      assert Kvcached.get(cache, ns, key) == {:ok, "v"}
      assert {:error, %Error{kind: :argument}} = Kvcached.get(cache, ns, key <> "k")
    end
  end

  test "a listener of another protocol" do
    cache = Daemon.start(:memcache)
    assert {:error, %Error{kind: kind}} = Kvcached.put(cache, "ns", "k", "v")
    assert kind in [:protocol, :unknown]
  end

  test "pools are found by name" do
    name = :"pool #{System.unique_integer()}"
    Daemon.start(:tcp, name: name)
    assert Kvcached.ping(name) == :ok
    Daemon.start(:tcp, name: {:global, name})
    assert Kvcached.ping({:global, name}) == :ok
    assert_raise ArgumentError, fn -> Kvcached.ping(:none) end
    assert_raise ArgumentError, fn -> Kvcached.ping(self()) end
  end

  test "an application has as many pools as it wants, under one supervisor" do
    children = for name <- [:one, :two], do: {Kvcached, [name: name] ++ Daemon.options(:tcp)}
    {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
    assert [Kvcached.ping(:one), Kvcached.ping(:two)] == [:ok, :ok]
    Supervisor.stop(supervisor)
    assert_raise ArgumentError, fn -> Kvcached.ping(:one) end
  end

  test "options that cannot be meant" do
    for opts <- [
          [port: 0],
          [pool_size: 0],
          [timeout: :infinity],
          [host: ""],
          [host: :localhost],
          [user: "a"],
          [password: "a"],
          [user: "a", password: :b],
          [backoff_min: 10, backoff_max: 9],
          [tls: 1],
          [prot: 7171]
        ] do
      assert_raise ArgumentError, fn -> Kvcached.start_link(opts) end
    end
  end

  test "a pipeline has a result for each call, refused ones too" do
    cache = Daemon.start(:tcp)
    ns = namespace()

    assert [
             :ok,
             {:error, %Error{kind: :argument}},
             {:ok, %{}},
             {:ok, 3},
             {:error, %Error{kind: :client}},
             {:ok, "3"}
           ] =
             Kvcached.pipeline(cache, [
               {:put, ns, "n", "1"},
               {:get, ns, ""},
               {:get_many, ns, []},
               {:incr, ns, "n", 2},
               {:list, ns, "["},
               {:get, ns, "n"}
             ])

    assert Kvcached.pipeline(cache, []) == []
    assert_raise FunctionClauseError, fn -> Kvcached.pipeline(cache, [{:auth, "a", "b"}]) end
  end

  test "put_many refuses all where it refuses one" do
    cache = Daemon.start(:tcp)
    ns = namespace()
    pairs = [{"a", "1"}, {"", "2"}]
    assert {:error, %Error{kind: :argument}} = Kvcached.put_many(cache, ns, pairs)
    assert Kvcached.list(cache, ns) == {:ok, []}
  end
end
