defmodule Kvcached.Test.Daemon do
  @moduledoc false

  # The daemons that with-daemon started, and waiting for what they do.

  import ExUnit.Callbacks, only: [start_supervised!: 1]

  @doc "The ways to a daemon."
  def ways do
    if System.get_env("KVCACHED_TLS_ADDRESS"),
      do: [:tcp, :unix, :users, :tls, :users_tls],
      else: [:tcp, :unix, :users]
  end

  @doc "The options of a pool that goes this way, as a user that may do everything."
  def options(:tcp), do: address("KVCACHED_ADDRESS")
  def options(:unix), do: [host: {:local, env("KVCACHED_SOCKET")}]
  def options(:tls), do: address("KVCACHED_TLS_ADDRESS") ++ tls()
  def options(:users), do: address("KVCACHED_USERS_ADDRESS") ++ user()
  def options(:users_tls), do: address("KVCACHED_USERS_TLS_ADDRESS") ++ tls() ++ user()
  def options(:reader), do: address("KVCACHED_USERS_ADDRESS") ++ reader()
  def options(:anonymous), do: address("KVCACHED_USERS_ADDRESS")
  def options(:memcache), do: address("KVCACHED_MEMCACHE_ADDRESS")

  @doc "Starts a pool that ends with the test, without a name if none is given."
  def start(way, opts \\ []) do
    start_supervised!({Kvcached, Keyword.merge([name: nil] ++ options(way), opts)})
  end

  @doc "Sends bytes to the daemon without users, and waits until it has carried them out."
  def tell(bytes) do
    [host: host, port: port] = options(:tcp)
    {:ok, socket} = :gen_tcp.connect(to_charlist(host), port, [:binary, active: false])
    :ok = :gen_tcp.send(socket, [bytes, "PING\r\n"])
    await_pong(socket, "")
    :gen_tcp.close(socket)
  end

  defp await_pong(socket, came) do
    unless String.ends_with?(came, "PONG\r\n") do
      {:ok, more} = :gen_tcp.recv(socket, 0, 5_000)
      await_pong(socket, came <> more)
    end
  end

  @doc "Waits until the function is true."
  def eventually(fun, left \\ 1_000) do
    cond do
      fun.() ->
        true

      left == 0 ->
        ExUnit.Assertions.flunk("it did not become true")

      true ->
        Process.sleep(10)
        eventually(fun, left - 1)
    end
  end

  @doc "A namespace that no other test has."
  def namespace, do: "test.#{System.unique_integer([:positive])}"

  defp tls, do: [tls: [cacertfile: env("KVCACHED_TLS_CA")]]
  defp user, do: [user: env("KVCACHED_USER"), password: env("KVCACHED_PASSWORD")]

  defp reader do
    [user: env("KVCACHED_READER"), password: env("KVCACHED_READER_PASSWORD")]
  end

  defp address(variable) do
    [host, port] = variable |> env() |> String.split(":")
    [host: host, port: String.to_integer(port)]
  end

  defp env(variable), do: System.fetch_env!(variable)
end
