/** Steps of the workflow on screen, for the command palette to offer: the designer says which, and how to go there. */
export type PaletteStep = { id: string; name: string; detail: string };
export type PaletteSteps = { list: () => PaletteStep[]; go: (id: string) => void };

let source: PaletteSteps | null = null;

export function offerSteps(steps: PaletteSteps): () => void {
  source = steps;
  return () => {
    if (source === steps) source = null;
  };
}

export function paletteSteps(): PaletteSteps | null {
  return source;
}
