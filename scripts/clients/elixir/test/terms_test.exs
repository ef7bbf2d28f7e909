defmodule Kvcached.TermsTest do
  use ExUnit.Case, async: true

  alias Kvcached.{Terms, Words}

  test "keys can be read, and sent as they are" do
    assert Terms.key(["sid"]) == "1/bsid"
    assert Terms.key([__MODULE__, :user, 42]) == "3/aElixir.Kvcached.TermsTest/auser/i42"
    assert Terms.key([]) == "0"
    assert Terms.key([""]) == "1/b"
    assert Terms.key(["a/b *?[\\%é"]) == "1/ba%2Fb%20%2A%3F%5B%5C%25%C3%A9"
    assert "1/t" <> _ = Terms.key([{1, 2}])
  end

  test "different lists have different keys" do
    elements = [
      "",
      "a",
      :a,
      "ab",
      "a/b",
      "a%2Fb",
      1,
      1.0,
      "1",
      -1,
      nil,
      true,
      [],
      {},
      %{},
      {:a},
      [:a],
      ["a"],
      ~c"a",
      <<1::1>>,
      self(),
      1..2,
      String.duplicate("a", 119),
      String.duplicate("a", 120),
      String.duplicate("a", 5000),
      String.duplicate("a", 5001),
      "*",
      :_,
      :"$1"
    ]

    lists =
      [[]] ++
        for(a <- elements, do: [a]) ++
        for(a <- elements, b <- elements, do: [a, b]) ++
        for(a <- elements, n <- [8, 9, 10, 40], do: List.duplicate(a, n)) ++
        for(a <- elements, b <- [:b, "b"], do: [a | b])

    keys = Enum.map(lists, &Terms.key/1)
    assert length(Enum.uniq(keys)) == length(lists)
    for key <- keys, do: assert(Words.key(key) == {:ok, key})
  end

  test "a large map has one key, in whatever order it was made" do
    pairs = for n <- 1..100, do: {n, n}
    assert Terms.key([Map.new(pairs)]) == Terms.key([Map.new(Enum.shuffle(pairs))])
  end

  test "a pattern leaves open what the match leaves open" do
    assert Terms.pattern([:_]) == "1/*"
    assert Terms.pattern([User, :user, :_]) == "3/aElixir.User/auser/*"
    assert Terms.pattern([User, :"$1", 7, :"$22"]) == "4/aElixir.User/*/i7/*"
    assert Terms.pattern([{:a, :_}, %{a: [:_]}, :"$x"]) == "3/*/*/a%24x"
    assert Terms.pattern(["a" | :_]) == "*"
    assert Terms.pattern(List.duplicate("a", 9)) == "9/*"
  end

  test "safe reading makes no atoms" do
    new = "atom_#{System.unique_integer([:positive])}_of_another_node"
    binary = <<131, 119, byte_size(new), new::binary>>

    assert Terms.load(binary, true, "here") == :error
    assert Terms.load("hello", true, "here") == :error
    assert Terms.load("", false, "here") == :error
    assert {:ok, atom} = Terms.load(binary, false, "here")
    assert Atom.to_string(atom) == new
    assert Terms.load(Terms.dump({:a, 1}), true, "here") == {:ok, {:a, 1}}
  end
end
