defmodule Kvcached.Test.User do
  @moduledoc false

  # What an application gives Pow to keep.
  defstruct [:id, :email]
end
