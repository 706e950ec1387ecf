/** How well `query` fits `text`: letters in order; words' beginnings and runs count more. 0 means not at all. */
export function score(query: string, text: string): number {
  if (query === "") return 1;
  const wanted = query.toLowerCase();
  const given = text.toLowerCase();
  const direct = given.indexOf(wanted);
  if (direct >= 0) return 100 - Math.min(direct, 40) + (direct === 0 || /[\s._-]/.test(given[direct - 1]!) ? 50 : 0);
  let points = 0;
  let at = 0;
  let previous = -2;
  for (const letter of wanted) {
    if (letter === " ") continue;
    const found = given.indexOf(letter, at);
    if (found < 0) return 0;
    points += found === previous + 1 ? 3 : found === 0 || /[\s._-]/.test(given[found - 1]!) ? 2 : 0.5;
    previous = found;
    at = found + 1;
  }
  return points >= wanted.length ? points : points / 4;
}

export function rank<T>(items: readonly T[], query: string, texts: (item: T) => readonly string[]): T[] {
  return items
    .map((item, index) => ({ item, index, points: Math.max(...texts(item).map((text, depth) => score(query, text) / (depth + 1))) }))
    .filter(({ points }) => points > 0.3)
    .sort((a, b) => b.points - a.points || a.index - b.index)
    .map(({ item }) => item);
}
