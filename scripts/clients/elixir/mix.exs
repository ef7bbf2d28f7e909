defmodule Kvcached.MixProject do
  use Mix.Project

  @version "0.1.0"
  @description "A client of the cache daemon kvcached, with session stores for Pow and Plug"

  def project do
    [
      app: :kvcached,
      version: @version,
      elixir: "~> 1.14",
      elixirc_paths: elixirc_paths(Mix.env()),
      start_permanent: Mix.env() == :prod,
      deps: [],
      name: "Kvcached",
      description: @description,
      package: package(),
      docs: docs()
    ]
  end

  def application do
    [
      mod: {Kvcached.Application, []},
      extra_applications: [:crypto, :logger, :public_key, :ssl]
    ]
  end

  # The tests declare the behaviours of Pow and Plug, which are no dependencies.
  defp elixirc_paths(:test), do: ["lib", "test/support"]
  defp elixirc_paths(_), do: ["lib"]

  defp package do
    [
      licenses: ["BSD-3-Clause"],
      links: %{},
      files: ["lib", "mix.exs", ".formatter.exs", "README.md", "LICENSE"]
    ]
  end

  defp docs do
    [
      main: "readme",
      extras: ["README.md"],
      source_ref: "v#{@version}",
      groups_for_modules: [Sessions: [Kvcached.PowStore, Kvcached.PlugStore]]
    ]
  end
end
