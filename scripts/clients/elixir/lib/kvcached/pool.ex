defmodule Kvcached.Pool do
  @moduledoc false

  # Which connection a request goes to, and when it goes to another one.
  #
  # A pool is a supervisor. It is in the registry with its options under its process, and each of
  # its connections with its state under {process, index}.

  alias Kvcached.{Command, Connection, Error}

  @registry Kvcached.Registry

  # How often a request is tried that was not sent, or may be sent again.
  @tries 3

  @doc "Notes the calling process as a pool."
  @spec register(map) :: :ok
  def register(options) do
    {:ok, _} = Registry.register(@registry, self(), Map.take(options, [:pool_size, :timeout]))
    :ok
  end

  @doc "The results of commands, which are sent at once over one connection."
  @spec run(Supervisor.supervisor(), [Command.t()], keyword) :: [term]
  def run(cache, commands, opts) do
    {pool, options} = find!(cache)
    timeout = Keyword.get(opts, :timeout, options.timeout)
    request = request(commands, timeout)

    commands
    |> Enum.zip_with(attempt(pool, options, commands, request, @tries), &result/2)
  end

  @doc """
  Sends commands for whose replies no caller waits. Those with the same `order` are sent in order,
  and `report` is called with each result that is an error.
  """
  @spec start(Supervisor.supervisor(), [Command.t()], term, (Error.t() -> term)) :: :ok
  def start(cache, commands, order, report) do
    {pool, options} = find!(cache)
    index = :erlang.phash2(order, options.pool_size) + 1

    report = fn answer ->
      for {:error, error} <- results(commands, answer), do: report.(error)
    end

    request = %{request(commands, options.timeout) | report: report}

    case Registry.lookup(@registry, {pool, index}) do
      [{connection, _}] -> Connection.start(connection, request)
      [] -> report.({:not_sent, no_connection()})
    end

    :ok
  end

  defp request(commands, timeout) do
    %Connection.Request{
      data: Enum.map(commands, & &1.data),
      shapes: Enum.map(commands, & &1.shape),
      timeout: timeout,
      deadline: if(timeout == :infinity, do: :infinity, else: now() + timeout)
    }
  end

  defp attempt(pool, options, commands, request, tries) do
    answer = once(pool, options, request)

    if tries > 1 and again?(answer, commands) and left(request) > 0 do
      attempt(pool, options, commands, %{request | timeout: left(request)}, tries - 1)
    else
      raw(commands, answer)
    end
  end

  defp once(pool, options, request) do
    case choose(pool, options.pool_size) do
      nil -> {:not_sent, no_connection()}
      connection -> Connection.run(connection, request)
    end
  end

  # What was not sent, and what only reads.
  defp again?({:not_sent, %{kind: kind}}, _), do: kind == :closed

  defp again?({:ok, results}, commands) do
    Enum.any?(results, &match?({:error, :closed, _}, &1)) and Enum.all?(commands, & &1.read?)
  end

  defp results(commands, answer) do
    commands |> Enum.zip_with(raw(commands, answer), &result/2)
  end

  defp raw(_, {:ok, results}), do: results
  defp raw(commands, {:not_sent, error}), do: Enum.map(commands, fn _ -> {:not_sent, error} end)

  defp result(_, {:not_sent, error}), do: {:error, error}
  defp result(command, result), do: Command.decode(command, result)

  # One that is connected, at random, else one that is about to be.
  defp choose(pool, size) do
    first = :rand.uniform(size)

    connections =
      for offset <- 0..(size - 1),
          found <- Registry.lookup(@registry, {pool, rem(first + offset, size) + 1}),
          do: found

    with nil <- with_status(connections, :up),
         nil <- with_status(connections, :connecting),
         nil <- with_status(connections, :down),
         do: nil
  end

  defp with_status(connections, status) do
    Enum.find_value(connections, fn {connection, has} -> has == status && connection end)
  end

  defp no_connection do
    %Error{kind: :closed, message: "the pool is being stopped or restarted"}
  end

  defp find!(cache) do
    with pid when is_pid(pid) <- GenServer.whereis(cache),
         [{^pid, options}] <- Registry.lookup(@registry, pid) do
      {pid, options}
    else
      _ -> raise ArgumentError, "#{inspect(cache)} is no pool of connections, or not started"
    end
  end

  defp left(%{deadline: :infinity}), do: :infinity
  defp left(%{deadline: deadline}), do: max(deadline - now(), 0)

  defp now, do: System.monotonic_time(:millisecond)
end
