defmodule Kvcached.PlugStoreTest do
  use ExUnit.Case, async: true

  import Kvcached.Test.Daemon, only: [eventually: 1, namespace: 0]

  alias Kvcached.{Error, PlugStore}
  alias Kvcached.Test.Daemon

  test "it has the callbacks that Plug publishes" do
    behaviours = for {:behaviour, [module]} <- PlugStore.module_info(:attributes), do: module
    assert Plug.Session.Store in behaviours

    for {name, arity} <- Plug.Session.Store.behaviour_info(:callbacks) do
      assert function_exported?(PlugStore, name, arity)
    end
  end

  for way <- Daemon.ways() do
    describe "by #{way}:" do
      @describetag way: way

      setup %{way: way} do
        opts = [cache: Daemon.start(way), namespace: namespace(), ttl: 60_000]
        {:ok, opts: opts, store: PlugStore.init(opts)}
      end

      test "a session is written, read, changed and deleted", %{store: store} do
        id = PlugStore.put(nil, nil, %{"user" => 1}, store)
        assert PlugStore.get(nil, id, store) == {id, %{"user" => 1}}
        assert PlugStore.put(nil, id, %{"user" => {2, :b}}, store) == id
        assert PlugStore.get(nil, id, store) == {id, %{"user" => {2, :b}}}
        assert PlugStore.delete(nil, id, store) == :ok
        assert PlugStore.get(nil, id, store) == {nil, %{}}
        assert PlugStore.delete(nil, id, store) == :ok
      end

      test "it expires, and put renews it", %{opts: opts, store: store} do
        short = PlugStore.init(Keyword.put(opts, :ttl, 50))
        left = PlugStore.put(nil, nil, %{}, short)
        renewed = PlugStore.put(nil, nil, %{}, short)
        assert PlugStore.put(nil, renewed, %{"a" => 1}, store) == renewed

        eventually(fn -> PlugStore.get(nil, left, store) == {nil, %{}} end)
        assert PlugStore.get(nil, renewed, store) == {renewed, %{"a" => 1}}
        assert Kvcached.ttl!(opts[:cache], opts[:namespace], renewed) in 50_000..60_000
      end
    end
  end

  test "ids are for cookies, and no two are the same" do
    store = PlugStore.init(cache: Daemon.start(:tcp), namespace: namespace())
    ids = for _ <- 1..200, do: PlugStore.put(nil, nil, %{}, store)
    assert length(Enum.uniq(ids)) == 200
    assert Enum.all?(ids, &(&1 =~ ~r/\A[A-Za-z0-9_-]{43}\z/))
  end

  test "a cookie that no session was given is not asked for" do
    store = PlugStore.init(cache: :not_started, namespace: namespace())
    long = String.duplicate("a", 5000)

    for cookie <- [nil, "", "a", "*", "a\r\nFLUSH sessions\r\n", long, String.duplicate("%", 43)] do
      assert PlugStore.get(nil, cookie, store) == {nil, %{}}
    end

    cookie = String.duplicate("A", 43)
    assert_raise ArgumentError, fn -> PlugStore.get(nil, cookie, store) end
  end

  test "what is no session is none" do
    opts = [cache: Daemon.start(:tcp), namespace: namespace()]
    store = PlugStore.init(opts)

    for value <- ["junk", :erlang.term_to_binary([])] do
      id = PlugStore.put(nil, nil, %{}, store)
      Kvcached.put!(opts[:cache], opts[:namespace], id, value)
      assert PlugStore.get(nil, id, store) == {nil, %{}}
    end
  end

  test "errors are raised" do
    store = PlugStore.init(cache: Daemon.start(:reader), namespace: namespace())
    assert_raise Error, fn -> PlugStore.put(nil, nil, %{}, store) end

    for opts <- [[ttl: 0], [ttl: nil], [namespace: "a b"]] do
      assert_raise ArgumentError, fn -> PlugStore.init(opts) end
    end
  end
end
