defmodule Kvcached.Pipeline do
  @moduledoc false

  # The requests of one connection that wait for their replies, in the order in which they were
  # sent, and what has come of the reply to the first. There is no socket in here: bytes go in,
  # results come out.
  #
  # A request is a term of the caller's choice with one or more commands. The result of a command
  # is `{:ok, items}` or `{:error, kind, text}`.

  alias Kvcached.Reply

  defstruct queue: :queue.new(), current: nil, parts: [], size: 0, need: 1

  @type shape :: {:lines, pos_integer, [atom]} | {:listing, [atom], [atom]}
  @type result :: {:ok, [Reply.item()]} | {:error, Kvcached.Error.kind(), String.t()}
  @type done :: {request :: term, [result]}
  @opaque t :: %__MODULE__{}

  @spec new() :: t
  def new, do: %__MODULE__{}

  @doc "Whether nothing is waited for."
  @spec idle?(t) :: boolean
  def idle?(pipeline), do: pipeline.current == nil

  @doc "The request that is answered next."
  @spec first(t) :: term
  def first(%{current: {request, _, _, _}}), do: request

  @doc """
  Notes that a request was sent, whose replies have these shapes.

  `{:lines, n, tags}` are n items with one of the tags. `{:listing, tags, alone}` are any number
  of items until `:end`, or one with a tag of `alone`. An error ends either.
  """
  @spec push(t, term, [shape, ...]) :: t
  def push(%{current: nil} = pipeline, request, shapes) do
    %{pipeline | current: begin({request, shapes})}
  end

  def push(pipeline, request, shapes) do
    %{pipeline | queue: :queue.in({request, shapes}, pipeline.queue)}
  end

  @doc """
  Takes bytes that came, and gives the requests that are answered with them, the oldest first.

  `:error`: what came is no reply, or not to the request that is answered next. Nothing more may
  be read from the connection; `close/3` has the results of the rest.
  """
  @spec feed(t, binary) :: {:ok | :error, [done], t}
  def feed(pipeline, bytes) do
    size = pipeline.size + byte_size(bytes)
    parts = [pipeline.parts | bytes]

    if size < pipeline.need do
      {:ok, [], %{pipeline | parts: parts, size: size}}
    else
      read(pipeline, IO.iodata_to_binary(parts), [])
    end
  end

  @doc """
  The results of all requests that are not answered.

  What was answered of them stays as it is; the first command that was not failed for the first
  reason, those behind it for the second.
  """
  @spec close(t, {atom, String.t()}, {atom, String.t()}) :: [done]
  def close(%{current: nil}, _, _), do: []

  def close(pipeline, {kind, text}, behind) do
    {request, shapes, _, results} = pipeline.current
    rest = for _ <- tl(shapes), do: error(behind)
    first = {request, Enum.reverse(results, [{:error, kind, text} | rest])}

    others =
      for {request, shapes} <- :queue.to_list(pipeline.queue) do
        {request, for(_ <- shapes, do: error(behind))}
      end

    [first | others]
  end

  defp error({kind, text}), do: {:error, kind, text}

  defp begin({request, shapes}), do: {request, shapes, [], []}

  defp read(pipeline, "", done) do
    {:ok, Enum.reverse(done), %{pipeline | parts: [], size: 0, need: 1}}
  end

  defp read(%{current: nil} = pipeline, _, done), do: {:error, Enum.reverse(done), pipeline}

  defp read(pipeline, bytes, done) do
    with {:ok, item, rest} <- Reply.parse(bytes),
         {:ok, current} <- accept(pipeline.current, item) do
      advance(pipeline, current, rest, done)
    else
      {:more, need} ->
        waiting = %{pipeline | parts: bytes, size: byte_size(bytes), need: need}
        {:ok, Enum.reverse(done), waiting}

      :error ->
        {:error, Enum.reverse(done), pipeline}
    end
  end

  # All commands of the request have their results, or it goes on.
  defp advance(pipeline, {request, [], [], results}, rest, done) do
    done = [{request, Enum.reverse(results)} | done]

    case :queue.out(pipeline.queue) do
      {{:value, next}, queue} ->
        read(%{pipeline | queue: queue, current: begin(next)}, rest, done)

      {:empty, _} ->
        read(%{pipeline | current: nil}, rest, done)
    end
  end

  defp advance(pipeline, current, rest, done) do
    read(%{pipeline | current: current}, rest, done)
  end

  defp accept({request, [_ | shapes], _, results}, {:error, kind, text}) do
    {:ok, {request, shapes, [], [{:error, kind, text} | results]}}
  end

  defp accept({request, [shape | shapes], items, results}, item) do
    case next(shape, tag(item), items) do
      :last -> {:ok, {request, shapes, [], [{:ok, Enum.reverse(items, [item])} | results]}}
      :end -> {:ok, {request, shapes, [], [{:ok, Enum.reverse(items)} | results]}}
      {:more, shape} -> {:ok, {request, [shape | shapes], [item | items], results}}
      :error -> :error
    end
  end

  defp next({:lines, count, tags}, tag, _) do
    cond do
      tag not in tags -> :error
      count == 1 -> :last
      true -> {:more, {:lines, count - 1, tags}}
    end
  end

  defp next({:listing, _, _}, :end, _), do: :end

  defp next({:listing, tags, alone} = shape, tag, items) do
    cond do
      tag in tags -> {:more, shape}
      tag in alone and items == [] -> :last
      true -> :error
    end
  end

  defp tag(item) when is_atom(item), do: item
  defp tag(item), do: elem(item, 0)
end
