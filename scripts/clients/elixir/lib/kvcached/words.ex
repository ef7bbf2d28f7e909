defmodule Kvcached.Words do
  @moduledoc false

  # The words of a request: each is checked, and comes back as the bytes that are sent. What is
  # refused here would be another request, or none, if it were sent.

  import Kvcached.Error, only: [argument: 1]

  @max_key 1024
  @max_number 0xFFFFFFFFFFFFFFFF
  @max_flags 0xFFFFFFFF

  defguardp is_hex(c) when c in ?0..?9 or c in ?a..?f or c in ?A..?F
  defguardp is_blank(c) when c <= 0x20 or c == 0x7F

  @doc "The namespace, as it is."
  def namespace(name) when is_binary(name) do
    if name =~ ~r/\A[A-Za-z0-9_.-]{1,64}\z/ do
      {:ok, name}
    else
      argument("a namespace has 1 to 64 of A-Z a-z 0-9 _ . -, and not #{inspect(name)}")
    end
  end

  @doc "The key, with what may not be in a line escaped."
  def key(""), do: argument("a key may not be empty")

  def key(key) when is_binary(key) do
    case escape(key, <<>>) do
      word when byte_size(word) > @max_key ->
        argument("a key has at most #{@max_key} bytes, and #{byte_size(word)} would be sent")

      word ->
        {:ok, word}
    end
  end

  @doc "Several keys, each with a space before it."
  def keys(keys) do
    keys
    |> Enum.reduce_while([], fn key, words ->
      case key(key) do
        {:ok, word} -> {:cont, [words, " ", word]}
        {:error, error} -> {:halt, {:error, error}}
      end
    end)
    |> case do
      {:error, error} -> {:error, error}
      words -> {:ok, words}
    end
  end

  @doc "What `key/1` escaped, as it was."
  def unescape(word), do: unescape(word, <<>>)

  @doc "A pattern, a user or a secret, as it is."
  def plain(word, what) when is_binary(word) do
    if word == "" or blank?(word) do
      argument("a #{what} has no white space and no control characters, and is not empty")
    else
      {:ok, word}
    end
  end

  @doc "A time to live in milliseconds, rounded up; `nil` is the namespace's own."
  def ttl(nil), do: {:ok, "-"}
  def ttl(:never), do: {:ok, "never"}

  def ttl(ttl) when is_number(ttl) do
    case ceil(ttl) do
      whole when ttl > 0 and whole <= @max_number -> {:ok, "#{whole}ms"}
      _ -> argument("a time to live is a number of milliseconds above 0, or :never")
    end
  end

  @doc "What is added to a number, or taken away."
  def number(n) when n in 0..@max_number, do: {:ok, Integer.to_string(n)}
  def number(n) when is_integer(n), do: argument("a number is from 0 to #{@max_number}")

  @doc "The flags with the space before them, or nothing where they are 0."
  def flags(0), do: {:ok, ""}
  def flags(flags) when flags in 1..@max_flags, do: {:ok, " #{flags}"}
  def flags(flags) when is_integer(flags), do: argument("flags are from 0 to #{@max_flags}")

  defp escape(<<"\\x", a, b, rest::binary>>, word) when is_hex(a) and is_hex(b),
    do: escape(<<a, b, rest::binary>>, <<word::binary, "\\x5cx">>)

  defp escape(<<c, rest::binary>>, word) when is_blank(c),
    do: escape(rest, <<word::binary, "\\x", Base.encode16(<<c>>, case: :lower)::binary>>)

  defp escape(<<c, rest::binary>>, word), do: escape(rest, <<word::binary, c>>)
  defp escape(<<>>, word), do: word

  defp unescape(<<"\\x", a, b, rest::binary>>, key) when is_hex(a) and is_hex(b),
    do: unescape(rest, <<key::binary, Base.decode16!(<<a, b>>, case: :mixed)::binary>>)

  defp unescape(<<c, rest::binary>>, key), do: unescape(rest, <<key::binary, c>>)
  defp unescape(<<>>, key), do: key

  defp blank?(<<c, _::binary>>) when is_blank(c), do: true
  defp blank?(<<_, rest::binary>>), do: blank?(rest)
  defp blank?(<<>>), do: false
end
