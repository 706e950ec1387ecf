/** The texts in use. `t` is a live binding: `setLocale` before the page is drawn, and every component reads the chosen language. */
import { en, type Texts } from "./en";

export type Locale = "en" | "pseudo";

export let t: Texts = en;

export function setLocale(locale: Locale): void {
  t = locale === "pseudo" ? pseudo(en) : en;
  document.documentElement.lang = locale === "pseudo" ? "en-XA" : locale;
}

const accents: Record<string, string> = { a: "å", e: "é", i: "î", o: "ø", u: "û", A: "Å", E: "É", I: "Î", O: "Ø", U: "Û", n: "ñ", c: "ç", y: "ý" };

/** A made-up language, accented and 40 % longer: what still reads as English was never in the catalog, and what is cut off has no room. */
export function pseudo<T>(texts: T): T {
  if (typeof texts === "string") {
    const accented = texts.replace(/[aeiouAEIOUncy]/g, (letter) => accents[letter] ?? letter);
    return `⟦${accented}${"·".repeat(Math.ceil(texts.length * 0.4))}⟧` as T;
  }
  if (typeof texts === "function") return ((...values: unknown[]) => pseudo((texts as (...values: unknown[]) => string)(...values))) as T;
  if (typeof texts === "object" && texts !== null) return Object.fromEntries(Object.entries(texts).map(([name, inner]) => [name, pseudo(inner)])) as T;
  return texts;
}
