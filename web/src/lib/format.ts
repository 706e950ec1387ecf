/** Numbers, sizes and times as people read them. Times of the API are RFC 3339 UTC; durations are milliseconds. */

const number = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

export function formatNumber(value: number): string {
  return number.format(value);
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0.5) return "0 ms";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, "min", Math.round(seconds % 60), "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join(hours, "h", minutes % 60, "min");
  return join(Math.floor(hours / 24), "d", hours % 24, "h");
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** `09:41:07` today, `22 Nov, 09:41:07` on another day. */
export function formatTime(at: string): string {
  const time = new Date(at);
  return time.toDateString() === new Date().toDateString() ? clock.format(time) : dayAndClock.format(time);
}

/** `09:41:07.318`, the viewer's zone. */
export function formatMoment(at: string): string {
  const time = new Date(at);
  return `${clock.format(time)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

export function formatFull(at: string): string {
  return full.format(new Date(at));
}

/** `3 min. ago`; a date from a week on. */
export function formatAgo(at: string, now = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return relative.format(0, "second");
  if (size < 60) return relative.format(Math.round(seconds), "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  if (size < 7 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  return dayAndClock.format(new Date(at));
}

/** The two ends of an id, as much as tells it from its neighbours: `…8a14 7Q2M`. */
export function shortId(id: string): string {
  return `…${id.slice(-12, -8)} ${id.slice(-4)}`;
}

/** `v12`, or the given word for a draft, which has no number. */
export function formatVersion(version: number | null, draft: string): string {
  return version === null ? draft : `v${version}`;
}

export function elapsed(from: string | null, to: string | null, now = Date.now()): number | null {
  if (!from) return null;
  return Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from));
}
