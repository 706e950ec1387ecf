"""Codes of the errors a worker reports; `contract/errors.yaml` of the server explains each."""

EXCEPTION = "python.exception"  # the function raised
INPUT = "python.input"  # the config does not fit the function's parameters
RESULT = "python.result"  # what it returned is no JSON
TOO_LARGE = "python.too_large"  # what it returned is larger than the server takes
EXIT = "python.exit"  # it called sys.exit()
RECURSION = "python.recursion"
MEMORY = "python.memory"
TIMEOUT = "task.timeout"
CANCELLED = "task.cancelled"
UNKNOWN_TYPE = "step.type"  # the worker has no such function (any more)

ALL = (EXCEPTION, INPUT, RESULT, TOO_LARGE, EXIT, RECURSION, MEMORY, TIMEOUT, CANCELLED, UNKNOWN_TYPE)
