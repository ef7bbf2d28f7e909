defmodule Kvcached.Terms do
  @moduledoc false

  # Terms as values, and terms as keys.
  #
  # A key is a list of terms, and becomes `COUNT/ELEMENT/ELEMENT...`, in which elements have no
  # slash and nothing that a pattern gives a meaning to. So a match for which some elements are
  # open is a pattern with `*` in their places, and the daemon finds what matches: since the count
  # stands at the beginning, and with it the number of slashes, each `*` stands for one element.
  #
  # Elements: binaries `b...`, atoms `a...`, integers `i...`, other terms `t...` in Base64 of the
  # external format. An element that would be long is `h...`, its SHA-256; so is the rest of a key
  # that would be too long for the protocol: `COUNT//HASH`. A list that ends in something else than
  # `[]` is one element behind `x/`. Two keys never become the same.

  require Logger

  @max_element 120
  @max_key 1024

  # How many elements always fit a key.
  @max_count div(@max_key - 10, @max_element + 1)

  # --- values ---------------------------------------------------------------------------------

  @doc "A term as a value."
  @spec dump(term) :: binary
  def dump(term), do: :erlang.term_to_binary(term)

  @doc """
  A value as the term that it was. With `safe`, it may not make atoms, nor functions of modules.

  `:error`, with a line in the log, where it is no term, or none that may be made.
  """
  @spec load(binary, boolean, String.t()) :: {:ok, term} | :error
  def load(binary, safe, where) do
    {:ok, :erlang.binary_to_term(binary, if(safe, do: [:safe], else: []))}
  rescue
    ArgumentError ->
      Logger.warning(
        "#{where}: a record that cannot be read is taken for none. It is no term, or it has " <>
          "an atom that this node does not have yet; see \"Atoms\" in Kvcached.PowStore."
      )

      :error
  end

  # --- keys -----------------------------------------------------------------------------------

  @doc "The key of a list of terms."
  @spec key(maybe_improper_list) :: binary
  def key(list) do
    case proper(list) do
      {:ok, count} -> count |> Integer.to_string() |> key(Enum.map(list, &element/1))
      :error -> "x/" <> element(list)
    end
  end

  defp key(count, elements) do
    key = Enum.join([count | elements], "/")

    if byte_size(key) > @max_key do
      "#{count}//#{hash(Enum.join(elements, "/"))}"
    else
      key
    end
  end

  @doc """
  A pattern that all keys match which the list does. In the list, `:_` and variables such as `:"$1"`
  stand for any term, as in match specifications. Other keys may match it too.
  """
  @spec pattern(maybe_improper_list) :: binary
  def pattern(list) do
    case proper(list) do
      {:ok, count} when count <= @max_count ->
        Enum.join([count | Enum.map(list, &element_pattern/1)], "/")

      {:ok, count} ->
        "#{count}/*"

      :error ->
        "*"
    end
  end

  # The count of elements; `[:a | :_]` has none, and matches lists of any.
  defp proper(list) do
    {:ok, length(list)}
  rescue
    ArgumentError -> :error
  end

  defp element_pattern(term), do: if(open?(term), do: "*", else: element(term))

  defp open?(:_), do: true
  defp open?(atom) when is_atom(atom), do: Atom.to_string(atom) =~ ~r/\A\$[0-9]+\z/
  defp open?([head | tail]), do: open?(head) or open?(tail)
  defp open?(tuple) when is_tuple(tuple), do: tuple |> Tuple.to_list() |> open?()
  defp open?(map) when is_map(map), do: map |> :maps.to_list() |> open?()
  defp open?(_), do: false

  defp element(term) do
    word = word(term)
    if byte_size(word) > @max_element, do: "h" <> hash(word), else: word
  end

  defp word(binary) when is_binary(binary), do: "b" <> escape(binary)
  defp word(atom) when is_atom(atom), do: "a" <> escape(Atom.to_string(atom))
  defp word(integer) when is_integer(integer), do: "i" <> Integer.to_string(integer)
  defp word(term), do: "t" <> encode(:erlang.term_to_binary(term, [:deterministic]))

  defp escape(text) do
    URI.encode(text, &(&1 in ?a..?z or &1 in ?A..?Z or &1 in ?0..?9 or &1 in ~c"_-.:@+="))
  end

  defp hash(word), do: encode(:crypto.hash(:sha256, word))

  defp encode(binary), do: Base.url_encode64(binary, padding: false)
end
