/** Small settings of this browser; a browser that keeps nothing only forgets them. */

export function readSetting<T>(name: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`flowpilot.${name}`);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function writeSetting(name: string, value: unknown): void {
  try {
    localStorage.setItem(`flowpilot.${name}`, JSON.stringify(value));
  } catch {
    // private windows may refuse; the setting lasts as long as the page
  }
}
