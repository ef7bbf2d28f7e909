Logger.configure(level: :error)
ExUnit.start()
