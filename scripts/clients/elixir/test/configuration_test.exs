defmodule Kvcached.ConfigurationTest do
  # What is configured for the whole application.
  use ExUnit.Case, async: false

  import ExUnit.CaptureLog

  alias Kvcached.{PlugStore, PowStore}
  alias Kvcached.Test.Daemon

  test "the pool is Kvcached if no other is named" do
    Daemon.start(:tcp, name: Kvcached)
    config = [namespace: Daemon.namespace(), ttl: 60_000]
    PowStore.put(config, {"key", 1})
    assert PowStore.get(config, "key") == 1

    store = PlugStore.init([])
    id = PlugStore.put(nil, nil, %{"a" => 1}, store)
    assert PlugStore.get(nil, id, store) == {id, %{"a" => 1}}
    PlugStore.delete(nil, id, store)
  end

  test "the configuration of Kvcached.PowStore holds where Pow gives none" do
    Daemon.start(:tcp, name: :configured)
    Application.put_env(:kvcached, PowStore, cache: :configured, namespace: "not.this.one")
    on_exit(fn -> Application.delete_env(:kvcached, PowStore) end)
    namespace = Daemon.namespace()
    PowStore.put([namespace: namespace], {"key", 1})
    assert Kvcached.list!(:configured, namespace) == ["1/bkey"]
  end

  test "a write that no caller waits for is in the log when it fails" do
    config = [cache: Daemon.start(:reader), namespace: Daemon.namespace(), writes: :async]

    log =
      capture_log(fn ->
        assert PowStore.put(config, {"key", 1}) == :ok
        for {_, pid, _, _} <- Supervisor.which_children(config[:cache]), do: :sys.get_state(pid)
        assert Kvcached.ping(config[:cache]) == :ok
        Daemon.eventually(fn -> idle?(config[:cache]) end)
      end)

    assert log =~ "namespace #{config[:namespace]}: a write failed"
  end

  defp idle?(cache) do
    for {_, pid, _, _} <- Supervisor.which_children(cache) do
      Kvcached.Pipeline.idle?(:sys.get_state(pid).pipeline)
    end
    |> Enum.all?()
  end
end
