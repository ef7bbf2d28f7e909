defmodule Kvcached.Error do
  @moduledoc """
  Why an operation failed.

  `kind` says what happened:

    * `:argument` - the call was refused, and nothing was sent
    * `:client` - `CLIENT_ERROR`: there is something wrong with the request, or the user lacks the
      right to it
    * `:server` - `SERVER_ERROR`: the daemon could not do it
    * `:unknown` - `ERROR`: the daemon does not know the verb, since it is older than the client
    * `:denied` - the user or the password is wrong
    * `:protocol` - the reply is none that this request can have; the connection was closed
    * `:closed` - there is no connection, or it ended before the reply did
    * `:timeout` - the reply did not come in time

  `done` is `:no`, or `:unknown` where the request changes something and may have been executed
  although no reply came. Such a request is never sent again by the client itself.

  `message` is for people, and may change.
  """

  @type kind ::
          :argument | :client | :server | :unknown | :denied | :protocol | :closed | :timeout
  @type t :: %__MODULE__{kind: kind, message: String.t(), done: :no | :unknown}

  defexception [:kind, :message, done: :no]

  @doc false
  @spec argument(String.t()) :: {:error, t}
  def argument(message), do: {:error, %__MODULE__{kind: :argument, message: message}}
end
