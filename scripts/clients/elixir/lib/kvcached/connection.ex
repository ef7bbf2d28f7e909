defmodule Kvcached.Connection do
  @moduledoc false

  # One connection of a pool. Requests of many callers are written as they come, and each reply
  # goes to the caller of the oldest request without one.
  #
  # A caller that gives up changes nothing: its reply is read when it comes, and dropped. But a
  # daemon that says nothing at all for as long as the oldest request may take is gone, and so is
  # one whose reply cannot be understood: the connection is closed, all that wait are told, and a
  # new connection is made. The first attempt is made at once; further ones have a growing delay,
  # until a connection lasts. Requests that come during an attempt wait for it; those that come
  # during a delay fail.

  use GenServer

  require Logger

  alias Kvcached.{Error, Pipeline, Transport}

  @registry Kvcached.Registry

  defmodule Request do
    @moduledoc false

    # `from` is nil where no caller waits. The deadline is in milliseconds of the monotonic clock,
    # or :infinity.
    defstruct [:data, :shapes, :deadline, :timeout, :from, :report]
  end

  defstruct [
    :pool,
    :index,
    :options,
    :transport,
    :error,
    :logged,
    :watch,
    attempts: 0,
    since: 0,
    heard: 0,
    pipeline: Pipeline.new()
  ]

  def child_spec({pool, index, options}) do
    %{id: index, start: {__MODULE__, :start_link, [pool, index, options]}}
  end

  def start_link(pool, index, options) do
    GenServer.start_link(__MODULE__, {pool, index, options})
  end

  @doc """
  The results of a request: one for each of its shapes, or why it was not sent.
  """
  @spec run(pid, %Request{}) :: {:ok, [Pipeline.result()]} | {:not_sent, Error.t()}
  def run(connection, request) do
    GenServer.call(connection, {:run, request}, request.timeout)
  catch
    :exit, {:timeout, _} ->
      {:ok, Enum.map(request.shapes, fn _ -> timed_out(request) end)}

    :exit, {:noproc, _} ->
      {:not_sent, %Error{kind: :closed, message: "the pool is being stopped or restarted"}}

    :exit, _ ->
      error = {:error, :closed, "the connection's process ended"}
      {:ok, Enum.map(request.shapes, fn _ -> error end)}
  end

  @doc "Sends a request for whose reply no caller waits; `report` is called with the results."
  @spec start(pid, %Request{}) :: :ok
  def start(connection, request), do: GenServer.cast(connection, {:run, request})

  # --- callbacks ------------------------------------------------------------------------------

  @impl true
  def init({pool, index, options}) do
    {:ok, _} = Registry.register(@registry, {pool, index}, :connecting)
    {:ok, %__MODULE__{pool: pool, index: index, options: options}, {:continue, :connect}}
  end

  @impl true
  def handle_continue(:connect, state), do: {:noreply, connect(state)}

  @impl true
  def handle_call({:run, request}, from, state) do
    {:noreply, run_now(%{request | from: from}, state)}
  end

  @impl true
  def handle_cast({:run, request}, state), do: {:noreply, run_now(request, state)}

  @impl true
  def handle_info({tag, socket, bytes}, %{transport: {_, socket}} = state)
      when tag in [:tcp, :ssl] do
    {:noreply, feed(state, bytes)}
  end

  def handle_info({tag, socket}, %{transport: {_, socket}} = state)
      when tag in [:tcp_closed, :ssl_closed] do
    {:noreply, lose(state, :closed, "the daemon closed the connection")}
  end

  def handle_info({tag, socket, reason}, %{transport: {_, socket}} = state)
      when tag in [:tcp_error, :ssl_error] do
    {:noreply, lose(state, :closed, Transport.reason(reason))}
  end

  def handle_info(:connect, %{transport: nil} = state), do: {:noreply, connect(state)}
  def handle_info({:watch, ref}, %{watch: ref} = state), do: {:noreply, watch(state)}

  # Of a socket that is closed, and timers that came too late.
  def handle_info(_, state), do: {:noreply, state}

  @impl true
  def format_status(_, [_, state]), do: [data: [{~c"State", %{state | options: :hidden}}]]

  # --- connecting -----------------------------------------------------------------------------

  defp connect(state) do
    with {:ok, transport} <- Transport.connect(state.options),
         :ok <- activate(transport) do
      if state.logged, do: Logger.info("#{name(state)} is connected again")
      set_status(state, :up)
      %{state | transport: transport, logged: nil, since: now(), heard: now()}
    else
      {:error, error} -> state |> log(error.message) |> retry(error)
    end
  end

  defp activate(transport) do
    with {:error, reason} <- Transport.activate(transport) do
      Transport.close(transport)
      {:error, %Error{kind: :closed, message: Transport.reason(reason)}}
    end
  end

  # The same failure is logged once, however often it comes.
  defp log(%{logged: text} = state, text), do: state

  defp log(state, text) do
    Logger.warning("#{name(state)}: #{text}")
    %{state | logged: text}
  end

  # Also without a delay it is behind the requests that this process was sent before: they fail.
  defp retry(%{attempts: 0} = state, error) do
    set_status(state, :connecting)
    send(self(), :connect)
    %{state | attempts: 1, error: error}
  end

  defp retry(state, error) do
    set_status(state, :down)
    Process.send_after(self(), :connect, delay(state))
    %{state | attempts: state.attempts + 1, error: error}
  end

  # It doubles with each attempt; connections that were lost together do not come back together.
  defp delay(%{options: options} = state) do
    longest = min(options.backoff_max, options.backoff_min * 2 ** min(state.attempts, 30))
    div(longest, 2) + :rand.uniform(div(longest, 2) + 1) - 1
  end

  defp set_status(state, status) do
    Registry.update_value(@registry, {state.pool, state.index}, fn _ -> status end)
  end

  defp name(state) do
    peer =
      case state.options.host do
        {:local, path} -> path
        host when is_tuple(host) -> "#{:inet.ntoa(host)}:#{state.options.port}"
        host -> "#{host}:#{state.options.port}"
      end

    "kvcached at #{peer}, connection #{state.index}"
  end

  # --- requests -------------------------------------------------------------------------------

  defp run_now(request, %{transport: nil} = state) do
    answer(request, {:not_sent, state.error})
    state
  end

  defp run_now(request, state) do
    if expired?(request) do
      text = "there was no connection within #{request.timeout} ms"
      answer(request, {:not_sent, %Error{kind: :timeout, message: text}})
      state
    else
      write(request, state)
    end
  end

  defp write(request, state) do
    idle = Pipeline.idle?(state.pipeline)
    pipeline = Pipeline.push(state.pipeline, %{request | data: nil}, request.shapes)
    state = %{state | pipeline: pipeline, heard: if(idle, do: now(), else: state.heard)}

    case Transport.send(state.transport, request.data) do
      :ok -> start_watch(state)
      {:error, reason} -> lose(state, :closed, "cannot send: #{Transport.reason(reason)}")
    end
  end

  defp feed(state, bytes) do
    {outcome, done, pipeline} = Pipeline.feed(state.pipeline, bytes)
    Enum.each(done, fn {request, results} -> answer(request, {:ok, results}) end)
    state = %{state | pipeline: pipeline, heard: now()}

    case outcome do
      :ok -> state
      :error -> lose(state, :protocol, "a reply that cannot be understood")
    end
  end

  # Closes what there is, and tells all that wait.
  defp lose(state, kind, text) do
    Transport.close(state.transport)

    for {request, results} <- Pipeline.close(state.pipeline, {kind, text}, {:closed, text}) do
      answer(request, {:ok, Enum.map(results, &in_time(&1, request))})
    end

    state = if Pipeline.idle?(state.pipeline), do: state, else: log(state, text)
    lasted = now() - state.since >= state.options.backoff_max
    attempts = if lasted, do: 0, else: state.attempts
    closed = %{transport: nil, pipeline: Pipeline.new(), watch: nil, attempts: attempts}
    state |> Map.merge(closed) |> retry(%Error{kind: :closed, message: text})
  end

  # For a caller that waited as long as it wanted to, it was the time.
  defp in_time({:error, :closed, _} = result, request) do
    if expired?(request), do: timed_out(request), else: result
  end

  defp in_time(result, _), do: result

  defp timed_out(request), do: {:error, :timeout, "no reply within #{request.timeout} ms"}

  defp answer(%{from: nil, report: report}, answer), do: report.(answer)
  defp answer(%{from: from}, answer), do: GenServer.reply(from, answer)

  defp expired?(%{deadline: :infinity}), do: false
  defp expired?(%{deadline: deadline}), do: deadline <= now()

  # --- silence --------------------------------------------------------------------------------

  defp start_watch(%{watch: nil} = state), do: watch_in(state, state.options.timeout)
  defp start_watch(state), do: state

  defp watch_in(state, time) do
    ref = make_ref()
    Process.send_after(self(), {:watch, ref}, time)
    %{state | watch: ref}
  end

  defp watch(state) do
    silent = now() - state.heard

    cond do
      Pipeline.idle?(state.pipeline) -> %{state | watch: nil}
      silent >= patience(state) -> lose(state, :closed, "no reply within #{silent} ms")
      true -> watch_in(state, patience(state) - silent)
    end
  end

  # A request with a timeout that is shorter than the pool's does not end those of others.
  defp patience(state) do
    case Pipeline.first(state.pipeline).timeout do
      :infinity -> now() - state.heard + state.options.timeout
      timeout -> max(timeout, state.options.timeout)
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
