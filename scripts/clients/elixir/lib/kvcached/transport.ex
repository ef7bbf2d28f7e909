defmodule Kvcached.Transport do
  @moduledoc false

  # A socket, with TLS or without, from connecting until it is ready for requests: the user is
  # authenticated, and the peer has proven with a PONG that it is kvcached.
  #
  # The process that connects owns the socket. After `activate/1` what comes is sent to it, also
  # while it is blocked in `send/2`: the daemon stops reading from a client that does not read.

  import Kernel, except: [send: 2]

  alias Kvcached.{Command, Error, Pipeline}

  @type t :: {:gen_tcp | :ssl, term}

  # A send is given its time anew with each part.
  @part 262_144

  @doc "Connects within `connect_timeout`, in milliseconds."
  @spec connect(map) :: {:ok, t} | {:error, Error.t()}
  def connect(options) do
    deadline = now() + options.connect_timeout

    with {:ok, socket} <- open(options, deadline),
         {:ok, transport} <- secure(socket, options, deadline) do
      case greet(transport, options, deadline) do
        :ok ->
          {:ok, transport}

        {:error, error} ->
          close(transport)
          {:error, error}
      end
    end
  end

  @doc "From now on everything that comes is sent to the owner."
  @spec activate(t) :: :ok | {:error, term}
  def activate({:gen_tcp, socket}), do: :inet.setopts(socket, active: true)
  def activate({:ssl, socket}), do: :ssl.setopts(socket, active: true)

  @spec send(t, iodata) :: :ok | {:error, term}
  def send({module, socket}, data) do
    if IO.iodata_length(data) <= @part do
      module.send(socket, data)
    else
      send_parts(module, socket, IO.iodata_to_binary(data))
    end
  end

  @spec close(t) :: :ok
  def close({module, socket}) do
    module.close(socket)
    :ok
  end

  defp send_parts(module, socket, <<part::binary-size(@part), rest::binary>>) do
    with :ok <- module.send(socket, part), do: send_parts(module, socket, rest)
  end

  defp send_parts(module, socket, rest), do: module.send(socket, rest)

  # --- the socket -----------------------------------------------------------------------------

  defp open(%{host: {:local, path}} = options, deadline) do
    tcp({:local, path}, 0, [:local], options, deadline)
  end

  defp open(%{host: host} = options, deadline) when is_tuple(host) do
    tcp(host, options.port, [family(host)], options, deadline)
  end

  # A name may have addresses of both families, of which one has no listener.
  defp open(options, deadline) do
    host = String.to_charlist(options.host)

    case :inet.parse_address(host) do
      {:ok, address} ->
        tcp(address, options.port, [family(address)], options, deadline)

      {:error, _} ->
        with {:error, error} <- tcp(host, options.port, [:inet], options, deadline),
             {:error, _} <- tcp(host, options.port, [:inet6], options, deadline) do
          {:error, error}
        end
    end
  end

  defp family(address) when tuple_size(address) == 8, do: :inet6
  defp family(_), do: :inet

  defp tcp(address, port, family, options, deadline) do
    settings = [
      :binary,
      active: false,
      packet: :raw,
      buffer: 65_536,
      keepalive: true,
      send_timeout: options.timeout,
      send_timeout_close: true
    ]

    nodelay = if family == [:local], do: [], else: [nodelay: true]

    case :gen_tcp.connect(address, port, family ++ nodelay ++ settings, left(deadline)) do
      {:ok, socket} -> {:ok, socket}
      {:error, reason} -> closed("cannot connect", reason)
    end
  end

  # --- TLS ------------------------------------------------------------------------------------

  defp secure(socket, %{tls: false}, _), do: {:ok, {:gen_tcp, socket}}

  defp secure(socket, options, deadline) do
    with {:ok, tls} <- tls_options(options),
         {:ok, socket} <- :ssl.connect(socket, tls, left(deadline)) do
      {:ok, {:ssl, socket}}
    else
      {:error, reason} ->
        :gen_tcp.close(socket)
        closed("TLS failed", reason)
    end
  end

  # What the caller gives goes before: verify: :verify_none, too.
  defp tls_options(options) do
    given = if is_list(options.tls), do: options.tls, else: []
    match = :public_key.pkix_verify_hostname_match_fun(:https)

    defaults = [
      verify: :verify_peer,
      log_level: :error,
      customize_hostname_check: [match_fun: match]
    ]

    with {:ok, authorities} <- authorities(given) do
      {:ok, Keyword.merge(defaults ++ server_name(options.host) ++ authorities, given)}
    end
  end

  # Without a name, the certificate must have the address of the peer.
  defp server_name(host) when is_binary(host) do
    name = String.to_charlist(host)

    case :inet.parse_address(name) do
      {:ok, _} -> []
      {:error, _} -> [server_name_indication: name]
    end
  end

  defp server_name(_), do: []

  defp authorities(given) do
    if Keyword.has_key?(given, :cacertfile) or Keyword.has_key?(given, :cacerts) or
         given[:verify] == :verify_none do
      {:ok, []}
    else
      {:ok, [cacerts: :public_key.cacerts_get()]}
    end
  rescue
    _ -> {:error, "the system has no authorities; name them with cacertfile:"}
  end

  # --- the first requests ---------------------------------------------------------------------

  defp greet(transport, options, deadline) do
    with {:ok, commands} <- greeting(options),
         :ok <- send(transport, Enum.map(commands, & &1.data)) do
      pipeline = Pipeline.push(Pipeline.new(), :greeting, Enum.map(commands, & &1.shape))
      transport |> receive_all(pipeline, deadline) |> judge(commands)
    else
      {:error, %Error{} = error} -> {:error, error}
      {:error, reason} -> closed("cannot send", reason)
    end
  end

  defp greeting(options) do
    with {:ok, ping} <- Command.new({:ping}),
         {:ok, auth} <- login(options.user, options.password) do
      {:ok, auth ++ [ping]}
    end
  end

  defp login(nil, _), do: {:ok, []}

  defp login(user, password) do
    with {:ok, auth} <- Command.auth(user, password.()), do: {:ok, [auth]}
  end

  defp receive_all({module, socket} = transport, pipeline, deadline) do
    with {:ok, bytes} <- module.recv(socket, 0, left(deadline)),
         {:ok, [], pipeline} <- Pipeline.feed(pipeline, bytes) do
      receive_all(transport, pipeline, deadline)
    else
      {:ok, [{:greeting, results}], _} ->
        results

      {:error, done, pipeline} ->
        why = {:protocol, "the peer does not speak kvcached's native protocol"}
        abandoned(done, pipeline, why)

      {:error, reason} ->
        why = {:closed, "no reply to the first request: #{reason(reason)}"}
        abandoned([], pipeline, why)
    end
  end

  # Also where all was answered, but something else behind it.
  defp abandoned([], pipeline, why) do
    [{:greeting, results}] = Pipeline.close(pipeline, why, why)
    results
  end

  defp abandoned([{:greeting, _}], _, {kind, text}), do: {:error, kind, text}

  # The first failure is the reason for those behind it.
  defp judge({:error, kind, text}, _), do: {:error, %Error{kind: kind, message: text}}

  defp judge(results, commands) do
    commands
    |> Enum.zip_with(results, &Command.decode/2)
    |> Enum.find(:ok, &(&1 != :ok))
  end

  defp closed(what, reason) do
    {:error, %Error{kind: :closed, message: "#{what}: #{reason(reason)}"}}
  end

  @doc "A reason of `:inet` or `:ssl`, for people."
  def reason({:tls_alert, {_, text}}), do: text |> to_string() |> String.trim()
  def reason({:options, _} = options), do: inspect(options)
  def reason(reason) when is_binary(reason), do: reason
  def reason(:timeout), do: "timeout"
  def reason(:closed), do: "closed"

  def reason(reason) when is_atom(reason) do
    case :inet.format_error(reason) do
      ~c"unknown POSIX error" -> inspect(reason)
      text -> to_string(text)
    end
  end

  def reason(reason), do: inspect(reason)

  defp left(deadline), do: max(deadline - now(), 0)

  defp now, do: System.monotonic_time(:millisecond)
end
