defmodule Kvcached.Options do
  @moduledoc false

  # The options of a pool, checked when it starts.

  @defaults [
    name: Kvcached,
    host: "127.0.0.1",
    port: 7171,
    pool_size: 4,
    timeout: 5_000,
    connect_timeout: 5_000,
    backoff_min: 50,
    backoff_max: 2_000,
    tls: false,
    user: nil,
    password: nil
  ]

  @doc "The options with the defaults; what cannot be meant raises an ArgumentError."
  @spec new!(keyword) :: map
  def new!(opts) do
    options = opts |> Keyword.validate!(@defaults) |> Map.new(&check!/1)

    if options.user == nil != (options.password == nil) do
      raise ArgumentError, ":user and :password go together"
    end

    if options.backoff_min > options.backoff_max do
      raise ArgumentError, ":backoff_min is above :backoff_max"
    end

    # A secret in a function is in no log and no crash report.
    %{options | password: hide(options.password)}
  end

  defp check!({:host, {:local, path} = host}) when is_binary(path), do: {:host, host}

  defp check!({:host, host}) when (is_binary(host) and host != "") or is_tuple(host),
    do: {:host, host}

  defp check!({:port, port}) when port in 1..65_535, do: {:port, port}

  defp check!({key, number})
       when key in [:pool_size, :timeout, :connect_timeout, :backoff_min, :backoff_max] and
              is_integer(number) and number > 0,
       do: {key, number}

  defp check!({:tls, tls}) when is_boolean(tls) or is_list(tls), do: {:tls, tls}
  defp check!({:user, user}) when is_binary(user) or user == nil, do: {:user, user}
  defp check!({:name, name}), do: {:name, name}

  defp check!({:password, password})
       when is_binary(password) or is_function(password, 0) or password == nil,
       do: {:password, password}

  defp check!({:password, _}), do: raise(ArgumentError, ":password is a string or a function")

  defp check!({key, value}) do
    raise ArgumentError, "#{inspect(key)} cannot be #{inspect(value)}"
  end

  defp hide(password) when is_binary(password), do: fn -> password end
  defp hide(password), do: password
end
