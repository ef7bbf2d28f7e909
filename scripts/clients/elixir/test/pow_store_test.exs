defmodule Kvcached.PowStoreTest do
  # The contract of Pow.Store.Backend.EtsCache, held by kvcached.
  use ExUnit.Case, async: true

  import Kvcached.Test.Daemon, only: [eventually: 1, namespace: 0]

  alias Kvcached.{Error, PowStore}
  alias Kvcached.Test.{Daemon, Server, User}

  test "it has the callbacks that Pow publishes" do
    behaviours = for {:behaviour, [module]} <- PowStore.module_info(:attributes), do: module
    assert Pow.Store.Backend.Base in behaviours

    for {name, arity} <- Pow.Store.Backend.Base.behaviour_info(:callbacks) do
      assert function_exported?(PowStore, name, arity)
    end
  end

  for way <- Daemon.ways() do
    describe "by #{way}:" do
      @describetag way: way

      setup %{way: way} do
        {:ok, config: [cache: Daemon.start(way), namespace: namespace(), ttl: 3_600_000]}
      end

      test "records are put, got and deleted", %{config: config} do
        assert PowStore.get(config, "key") == :not_found
        assert PowStore.put(config, {"key", "value"}) == :ok
        assert PowStore.get(config, "key") == "value"
        assert PowStore.put(config, {"key", "newer"}) == :ok
        assert PowStore.get(config, "key") == "newer"
        assert PowStore.delete(config, "key") == :ok
        assert PowStore.get(config, "key") == :not_found
        assert PowStore.delete(config, "key") == :ok
      end

      test "several records are put at once", %{config: config} do
        assert PowStore.put(config, [{"key1", "1"}, {[:a, "key2"], "2"}]) == :ok
        assert PowStore.get(config, "key1") == "1"
        assert PowStore.get(config, [:a, "key2"]) == "2"
        assert PowStore.put(config, []) == :ok
      end

      test "records expire by themselves", %{config: config} do
        short = Keyword.put(config, :ttl, 50)
        PowStore.put(short, [{"key1", 1}, {["a", "key2"], 2}])
        PowStore.put(config, {["a", "key3"], 3})

        eventually(fn -> PowStore.get(short, "key1") == :not_found end)
        eventually(fn -> PowStore.get(short, ["a", "key2"]) == :not_found end)
        assert PowStore.all(config, ["a", :_]) == [{["a", "key3"], 3}]
      end

      test "a record that is put again lives anew", %{config: config} do
        PowStore.put(Keyword.put(config, :ttl, 50), [{"renewed", 1}, {"left", 1}])
        PowStore.put(config, {"renewed", 2})
        eventually(fn -> PowStore.get(config, "left") == :not_found end)
        assert PowStore.get(config, "renewed") == 2
      end

      test "without a ttl records do not expire", %{config: config} do
        for config <- [Keyword.delete(config, :ttl), Keyword.put(config, :ttl, nil)] do
          PowStore.put(config, {"key", 1})
          assert Kvcached.ttl!(config[:cache], config[:namespace], "1/bkey") == :never
        end

        PowStore.put(config, {"key", 1})
        assert Kvcached.ttl!(config[:cache], config[:namespace], "1/bkey") in 3_590_000..3_600_000
      end

      test "the same key in two namespaces is two records", %{config: config} do
        other = Keyword.put(config, :namespace, namespace())
        PowStore.put(config, {"key", 1})
        assert PowStore.get(other, "key") == :not_found
        PowStore.put(other, {"key", 2})
        assert PowStore.get(config, "key") == 1
        PowStore.delete(config, "key")
        assert PowStore.get(other, "key") == 2
        assert PowStore.all(other, :_) == [{"key", 2}]
        assert PowStore.all(config, :_) == []
      end

      test "records are found by match", %{config: config} do
        assert PowStore.all(config, :_) == []
        for n <- 1..11, do: PowStore.put(config, {"key#{n}", n})
        assert length(PowStore.all(config, :_)) == 11

        PowStore.put(config, [
          {["namespace", "key"], 1},
          {["namespace", "key", "key2"], 2},
          {[User, :user, 1], %User{id: 1}},
          {[User, :user, 2], %User{id: 2}},
          {[User, :user, 1, :session, "s1"], 3},
          {[User, :user, 1, :session, "s2"], 4},
          {[User, :user, 2, :session, "s3"], 5}
        ])

        assert PowStore.all(config, ["namespace", :_]) == [{["namespace", "key"], 1}]
        assert length(PowStore.all(config, :_)) == 11

        assert PowStore.all(config, [User, :user, :_]) ==
                 [{[User, :user, 1], %User{id: 1}}, {[User, :user, 2], %User{id: 2}}]

        assert PowStore.all(config, [User, :user, 1, :session, :_]) ==
                 for({s, v} <- [{"s1", 3}, {"s2", 4}], do: {[User, :user, 1, :session, s], v})

        assert config |> PowStore.all([User, :user, :_, :session, :_]) |> length() == 3
        assert PowStore.all(config, [:_, :user, 2]) == [{[User, :user, 2], %User{id: 2}}]
        assert PowStore.all(config, "key7") == [{"key7", 7}]
      end

      test "a session as Pow keeps it", %{config: config} do
        user = %User{id: 42, email: "a@example.org"}
        id = "5d41402abc4b2a76b9719d911017c592-session"
        session_key = [User, :user, 42, :session, id]

        PowStore.put(config, [
          {id, {[User, :user, 42], [fingerprint: "f", inserted_at: 1]}},
          {[User, :user, 42], user},
          {session_key, 1}
        ])

        assert {[User, :user, 42], [fingerprint: "f", inserted_at: 1]} = PowStore.get(config, id)
        assert PowStore.get(config, [User, :user, 42]) == user
        assert [{^session_key, 1}] = PowStore.all(config, [User, :user, 42, :session, :_])
        PowStore.delete(config, id)
        PowStore.delete(config, session_key)
        assert PowStore.get(config, id) == :not_found
        assert PowStore.all(config, [User, :user, 42, :session, :_]) == []
      end

      test "writes that no caller waits for are done in order", %{config: config} do
        config = Keyword.put(config, :writes, :async)

        for n <- 1..200 do
          assert PowStore.put(config, [{"key", n}, {"other", n}]) == :ok
          if rem(n, 3) == 0, do: assert(PowStore.delete(config, "key") == :ok)
        end

        eventually(fn -> PowStore.get(config, "other") == 200 end)
        assert PowStore.get(config, "key") == 200
      end
    end
  end

  # --- any terms ------------------------------------------------------------------------------

  defp config(way \\ :tcp), do: [cache: Daemon.start(way), namespace: namespace()]

  @terms [
    "",
    "text",
    "a b\r\n*?[x]\\x41/é",
    <<0, 255, 127>>,
    <<5::3>>,
    :atom,
    nil,
    true,
    0,
    -7,
    1.0,
    Integer.pow(7, 200),
    {},
    {:a, [1]},
    %{:a => 1, "b" => %{}},
    [a: 1],
    %User{id: 1},
    [],
    ["x", :y],
    [:a | :b],
    ["improper" | 1],
    String.duplicate("long ", 1000),
    List.duplicate("many", 3000),
    MapSet.new([1, 2])
  ]

  test "any term is a key, and any a value" do
    config = config()
    for {key, n} <- Enum.with_index(@terms), do: PowStore.put(config, {key, {n, key}})

    # nil and [] are the same key, as for List.wrap/1.
    for {key, n} <- Enum.with_index(@terms), key != nil do
      assert PowStore.get(config, key) == {n, key}
    end

    for value <- [self(), make_ref(), (&PowStore.get/2) | @terms] do
      PowStore.put(config, {"key", value})
      assert PowStore.get(config, "key") == value
    end
  end

  test "a key that is no list is the list of it" do
    config = config()
    PowStore.put(config, {["key"], 1})
    assert PowStore.get(config, "key") == 1
    assert PowStore.all(config, ["key"]) == [{"key", 1}]
    PowStore.put(config, {nil, 2})
    assert PowStore.get(config, []) == 2
  end

  test "any term is a namespace" do
    terms = [:cache, "cache ", "-", "pow.x", "", {1, 2}, nil, String.duplicate("n", 65), "größe"]
    unique = System.unique_integer()
    cache = Daemon.start(:tcp)
    configs = for term <- terms, do: [cache: cache, namespace: {unique, term}]
    plain = for config <- configs, do: Keyword.update!(config, :namespace, &elem(&1, 1))

    for {config, n} <- Enum.with_index(configs ++ plain), do: PowStore.put(config, {"key", n})

    for {config, n} <- Enum.with_index(configs ++ plain),
        do: assert(PowStore.get(config, "key") == n)

    for config <- configs ++ plain, do: PowStore.delete(config, "key")
  end

  test "no term is the namespace that another is hashed to, and none is the default one" do
    cache = Daemon.start(:tcp)
    key = "key #{System.unique_integer()}"
    namespace = {System.unique_integer(), self()}
    hash = :crypto.hash(:sha256, :erlang.term_to_binary(namespace, [:deterministic]))
    hashed = "pow." <> Base.encode32(hash, case: :lower, padding: false)

    PowStore.put([cache: cache, namespace: namespace, ttl: 60_000], {key, 1})
    assert [_] = Kvcached.list!(cache, hashed)
    assert PowStore.get([cache: cache, namespace: hashed], key) == :not_found

    PowStore.put([cache: cache, namespace: "-", ttl: 60_000], {key, 1})
    assert Kvcached.get(cache, "-", Kvcached.Terms.key([key])) == :not_found
  end

  test "without a ttl a record never expires, whatever the namespace's own is" do
    value = :erlang.term_to_binary({["key"], 1})

    port =
      Server.start(fn socket, _ ->
        Server.greet(socket)
        Server.expect(socket, "PUT ns 1/bkey never #{byte_size(value)}\r\n#{value}\r\n")
        Server.reply(socket, "STORED\r\n")
        Server.await_close(socket)
      end)

    cache = start_supervised!({Kvcached, name: nil, port: port, pool_size: 1})
    assert PowStore.put([cache: cache, namespace: "ns"], {"key", 1}) == :ok
  end

  test "without a namespace it is cache" do
    cache = Daemon.start(:tcp)
    key = make_ref()
    PowStore.put([cache: cache], {key, 1})
    assert PowStore.get([cache: cache, namespace: "cache"], key) == 1
    PowStore.delete([cache: cache], key)
  end

  # What is matched is what an ordered set of :ets matches.
  test "matches are those of :ets" do
    :rand.seed(:exsss, {1, 2, 3})
    config = config()
    table = :ets.new(:oracle, [:ordered_set])
    parts = ["a", :a, "b", 1, {:a, 1}, "a/b", String.duplicate("a", 300), %{a: 1}, [1]]
    key = fn -> for _ <- 1..:rand.uniform(4), do: Enum.random(parts) end
    keys = for(_ <- 1..300, do: key.()) ++ for n <- 8..12, do: List.duplicate("a", n)
    keys = keys ++ [String.duplicate("a", 3000), List.duplicate(String.duplicate("b", 110), 20)]
    keys = [[:a | :b], [] | keys]

    for {key, n} <- Enum.with_index(keys) do
      PowStore.put(config, {key, n})
      :ets.insert(table, {["ns" | List.wrap(key)], n})
    end

    open = [:_, :"$1", {:_, 1}, {:"$1", :"$1"}, %{a: :_}, [:_], [:_ | :_]]
    match = fn key -> for part <- key, do: Enum.random([part, part | open]) end
    matches = [:_, [:_, :_ | :_], ["a" | :_], [], nil] ++ Enum.map(keys, &any_match(&1, match))

    found =
      for match <- matches do
        expected =
          for {[_ | key], value} <-
                :ets.select(table, [{{["ns" | List.wrap(match)], :_}, [], [:"$_"]}]) do
            {if(match?([_], key), do: hd(key), else: key), value}
          end

        assert PowStore.all(config, match) == expected, inspect(match)
        length(expected)
      end

    assert Enum.count(found, &(&1 > 1)) > 50
  end

  defp any_match(key, match) when is_list(key) do
    if List.improper?(key), do: key, else: match.(key)
  end

  defp any_match(key, _), do: key

  test "the daemon looks for the keys that match" do
    port =
      Server.start(fn socket, _ ->
        Server.greet(socket)

        Server.expect(
          socket,
          "ALL credentials 5/aElixir.Kvcached.Test.User/auser/i1/asession/*\r\n"
        )

        Server.reply(socket, "END\r\n")
      end)

    cache = start_supervised!({Kvcached, name: nil, port: port, pool_size: 1})
    config = [cache: cache, namespace: "credentials"]
    assert PowStore.all(config, [User, :user, 1, :session, :_]) == []
  end

  # --- what goes wrong ------------------------------------------------------------------------

  test "a record of another kind is none, and neither is one with a new atom" do
    config = config()
    new = "atom_#{System.unique_integer([:positive])}_of_a_newer_release"

    term =
      <<131, 104, 2, 108, 0, 0, 0, 1, 109, 0, 0, 0, 3, "new", 106, 119, byte_size(new),
        new::binary>>

    put = &Kvcached.put!(config[:cache], config[:namespace], &1, &2)
    put.("1/bnew", term)
    put.("1/bjunk", "junk")
    put.("1/bterm", :erlang.term_to_binary(:not_a_record))
    put.("1/bmoved", :erlang.term_to_binary({["other"], 1}))
    PowStore.put(config, {"good", 1})

    for key <- ["new", "junk", "term", "moved"],
        do: assert(PowStore.get(config, key) == :not_found)

    assert Enum.sort(PowStore.all(config, :_)) == [{"good", 1}, {"other", 1}]

    unsafe = Keyword.put(config, :safe, false)
    assert unsafe |> PowStore.get("new") |> Atom.to_string() == new
  end

  test "errors are raised" do
    config = [cache: Daemon.start(:reader), namespace: namespace()]
    assert PowStore.get(config, "key") == :not_found
    assert_raise Error, fn -> PowStore.put(config, {"key", 1}) end
    assert_raise Error, fn -> PowStore.delete(config, "key") end
    assert_raise Error, fn -> PowStore.all(config, :_) end
    assert_raise ArgumentError, fn -> PowStore.put([ttl: -1] ++ config, {"key", 1}) end
    assert_raise ArgumentError, fn -> PowStore.put([ttl: 1.5] ++ config, {"key", 1}) end
  end

  test "a time of 0 is over at once, and a very long one never" do
    config = config()
    PowStore.put(config, {"key", 1})
    assert PowStore.put([ttl: 0] ++ config, {"key", 2}) == :ok
    assert PowStore.get(config, "key") == :not_found
    assert PowStore.put([ttl: 10_000_000_000_000] ++ config, {"key", 3}) == :ok
    assert PowStore.get(config, "key") == 3
  end
end
