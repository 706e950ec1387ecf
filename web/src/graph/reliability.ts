/** Retries in plain words, and when each attempt starts. The engine's defaults: one attempt without a policy, three with one, first wait 1 s, doubled each time, 60 s at most. */
import type { RetryConfig, Step } from "./document";

/** Seconds after the first attempt at which each attempt starts, if each fails at once and without jitter. */
export function attemptTimes(retry: RetryConfig | undefined): number[] {
  const { max_attempts = retry ? 3 : 1, initial_delay_seconds = 1, backoff = 2, max_delay_seconds = 60, max_elapsed_seconds = Infinity } = retry ?? {};
  const times = [0];
  let delay = initial_delay_seconds;
  while (times.length < Math.min(max_attempts, 100)) {
    const next = times.at(-1)! + Math.min(delay, max_delay_seconds);
    if (next > max_elapsed_seconds) break;
    times.push(next);
    delay *= backoff;
  }
  return times;
}

export type Ending = "fail" | "continue" | "error";

export function endingOf(step: Step, wired: ReadonlySet<string> | undefined): Ending {
  if (wired?.has("error")) return "error";
  return step.on_error === "continue" ? "continue" : "fail";
}
