defmodule Kvcached.Test.Server do
  @moduledoc false

  # A server that does what a test says, on a port that the kernel picks.

  import ExUnit.Callbacks, only: [start_supervised!: 1]

  @doc """
  Serves each connection by the function, in a process of its own, and closes it then. The
  function gets the socket and the connection's number, from 1.
  """
  def start(serve, port \\ 0) do
    test = self()
    id = make_ref()

    start_supervised!(%{
      id: id,
      start: {Task, :start_link, [fn -> listen(port, serve, test, id) end]},
      restart: :temporary
    })

    receive do
      {^id, port} -> port
    end
  end

  defp listen(port, serve, test, id) do
    {:ok, listener} =
      :gen_tcp.listen(port, [:binary, active: false, ip: {127, 0, 0, 1}, reuseaddr: true])

    {:ok, port} = :inet.port(listener)
    send(test, {id, port})
    accept(listener, serve, 1)
  end

  defp accept(listener, serve, number) do
    {:ok, socket} = :gen_tcp.accept(listener)

    pid =
      spawn(fn ->
        receive do: (:yours -> serve.(socket, number))
        :gen_tcp.close(socket)
      end)

    :ok = :gen_tcp.controlling_process(socket, pid)
    send(pid, :yours)
    accept(listener, serve, number + 1)
  end

  @doc "Answers the first request of a client without a user."
  def greet(socket) do
    expect(socket, "PING\r\n")
    reply(socket, "PONG\r\n")
  end

  @doc "Reads exactly these bytes. Where the client closes the connection, all ends here."
  def expect(socket, bytes) do
    ^bytes = read(socket, byte_size(bytes))
    :ok
  end

  @doc "Reads what comes, or so many bytes."
  def read(socket, size \\ 0) do
    case :gen_tcp.recv(socket, size, 10_000) do
      {:ok, bytes} -> bytes
      {:error, :closed} -> exit(:normal)
    end
  end

  def reply(socket, bytes), do: :ok = :gen_tcp.send(socket, bytes)

  @doc "Waits until the client has closed the connection."
  def await_close(socket) do
    case :gen_tcp.recv(socket, 0, 10_000) do
      {:ok, _} -> await_close(socket)
      {:error, _} -> :ok
    end
  end
end
