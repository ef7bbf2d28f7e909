defmodule Kvcached.Application do
  @moduledoc false

  # The registry in which pools are found, see `Kvcached.Pool`.

  use Application

  @impl true
  def start(_type, _args) do
    children = [{Registry, keys: :unique, name: Kvcached.Registry}]
    Supervisor.start_link(children, strategy: :one_for_one)
  end
end
