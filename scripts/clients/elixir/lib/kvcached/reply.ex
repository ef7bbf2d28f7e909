defmodule Kvcached.Reply do
  @moduledoc false

  # One line of a reply, and the value behind it. It is strict: whatever is not exactly as
  # kvcached-protocol(7) has it is no reply, and the connection that it came from cannot be
  # trusted any further.

  alias Kvcached.Words

  # Longer than any line of a reply, whose longest part is a key.
  @max_line 65_536
  @max_number 0xFFFFFFFFFFFFFFFF

  @type item ::
          :stored
          | :exists
          | :not_found
          | :deleted
          | :touched
          | :ok
          | :denied
          | :pong
          | :end
          | {:value, binary}
          | {:record, binary, binary}
          | {:key, binary}
          | {:stat, binary, binary}
          | {:number, non_neg_integer}
          | {:flushed, non_neg_integer}
          | {:ttl, non_neg_integer | :never}
          | {:version, binary}
          | {:error, :client | :server | :unknown, binary}

  @doc """
  Takes the first item from what has come.

  `{:more, size}`: nothing can be said before there are so many bytes.
  """
  @spec parse(binary) :: {:ok, item, binary} | {:more, pos_integer} | :error
  def parse(bytes) do
    case :binary.match(bytes, "\n") do
      {at, 1} when at > 0 -> parse_line(bytes, at)
      {0, 1} -> :error
      :nomatch when byte_size(bytes) > @max_line -> :error
      :nomatch -> {:more, byte_size(bytes) + 1}
    end
  end

  defp parse_line(bytes, at) do
    line_size = at - 1

    case bytes do
      <<line::binary-size(line_size), "\r\n", rest::binary>> ->
        line |> line() |> with_body(rest, at + 1)

      _ ->
        :error
    end
  end

  # A value of `size` bytes and a line end follow the line.
  defp with_body({:body, size, make}, rest, line_size) do
    case rest do
      <<value::binary-size(size), "\r\n", rest::binary>> -> {:ok, make.(compact(value)), rest}
      _ when byte_size(rest) >= size + 2 -> :error
      _ -> {:more, line_size + size + 2}
    end
  end

  defp with_body(:error, _, _), do: :error
  defp with_body(item, rest, _), do: {:ok, item, rest}

  # A small value does not keep all of what came with it in memory.
  defp compact(value) do
    if :binary.referenced_byte_size(value) > 2 * byte_size(value) do
      :binary.copy(value)
    else
      value
    end
  end

  defp line("STORED"), do: :stored
  defp line("EXISTS"), do: :exists
  defp line("NOT_FOUND"), do: :not_found
  defp line("DELETED"), do: :deleted
  defp line("TOUCHED"), do: :touched
  defp line("OK"), do: :ok
  defp line("DENIED"), do: :denied
  defp line("PONG"), do: :pong
  defp line("END"), do: :end
  defp line("VALUE " <> size), do: body(size, &{:value, &1})
  defp line("KEY " <> word), do: if(word?(word), do: {:key, Words.unescape(word)}, else: :error)
  defp line("RECORD " <> rest), do: record(:binary.split(rest, " "))
  defp line("STAT " <> rest), do: stat(:binary.split(rest, " "))
  defp line("NUMBER " <> number), do: tagged(:number, number(number))
  defp line("FLUSHED " <> number), do: tagged(:flushed, number(number))
  defp line("TTL never"), do: {:ttl, :never}
  defp line("TTL " <> time), do: tagged(:ttl, milliseconds(time))
  defp line("VERSION " <> text), do: {:version, :binary.copy(text)}
  defp line("CLIENT_ERROR" <> text), do: error(:client, text)
  defp line("SERVER_ERROR" <> text), do: error(:server, text)
  defp line("ERROR" <> text), do: error(:unknown, text)
  defp line(_), do: :error

  defp error(kind, ""), do: {:error, kind, ""}
  defp error(kind, " " <> text), do: {:error, kind, :binary.copy(text)}
  defp error(_, _), do: :error

  defp record([word, size]) do
    if word?(word) do
      key = Words.unescape(word)
      body(size, &{:record, key, &1})
    else
      :error
    end
  end

  defp record(_), do: :error

  defp stat([name, value]) when name != "", do: {:stat, :binary.copy(name), :binary.copy(value)}
  defp stat(_), do: :error

  defp body(size, make) do
    case number(size) do
      :error -> :error
      size -> {:body, size, make}
    end
  end

  defp tagged(_, :error), do: :error
  defp tagged(tag, value), do: {tag, value}

  defp word?(word), do: word != "" and :binary.match(word, " ") == :nomatch

  # Digits only, and no more than 64 bits.
  defp number(digits) do
    with true <- digits?(digits) and byte_size(digits) <= 20,
         number when number <= @max_number <- String.to_integer(digits) do
      number
    else
      _ -> :error
    end
  end

  # Seconds with exactly three decimals.
  defp milliseconds(time) do
    with [seconds, <<decimals::binary-size(3)>>] <- :binary.split(time, "."),
         true <- digits?(seconds) do
      number(seconds <> decimals)
    else
      _ -> :error
    end
  end

  defp digits?(""), do: false
  defp digits?(word), do: all_digits?(word)

  defp all_digits?(<<c, rest::binary>>) when c in ?0..?9, do: all_digits?(rest)
  defp all_digits?(rest), do: rest == ""
end
